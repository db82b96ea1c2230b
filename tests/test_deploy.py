"""Create, update, fail, tear down: the commands against the embedded AWS, with small templates."""

import json
import socket

from deploy_bench import stacks
from deploy_network import NET, aws, local, name, root, run, with_parameter, write

from aws_vpc import deploy
from aws_vpc.local import control

__all__ = ["aws", "local", "name", "root", "run"]


def test_create_makes_the_stacks_once_and_says_so_the_second_time(run, aws, name):
    status, out, err = run("create")
    assert status == 0, err
    vpc = aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert f"stack {name} CREATE_COMPLETE" in out and vpc in out
    assert "NestedNetStack" in err and "    Subnet  AWS::EC2::Subnet" in err
    again, out, err = run("create")
    assert (again, "nothing to create" in err, vpc in out) == (0, True, True)


def test_a_create_tells_which_parameters_it_leaves_as_they_are(run, name):
    assert run("create")[0] == 0
    status, _, err = run("create", "--param", "Colour=blue")
    assert status == 0
    assert "note: Colour stays red; ./update_stacks.sh --param Colour=blue changes it" in err
    assert "stays" not in run("create", "--param", "Colour=red")[2]


def test_a_local_create_wants_the_port_of_the_page_to_be_free(run, root, aws, name):
    with_parameter(root, "WebPort: {Type: Number}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = run("create", "--param", f"WebPort={port}")
    assert status == 2
    assert f"--param WebPort={port}: Address already in use on this machine" in err.splitlines()[-1]
    assert deploy.describe(aws("cloudformation"), name) is None


def test_a_local_teardown_asks_before_it_ends_other_stacks(run, local_folder):
    assert run("create")[0] == 0
    status, _, err = run("teardown", "--local", "--stack-name", "mistyped")
    assert status == 3
    assert "Stack mistyped does not exist. End the embedded AWS with " in err and "needs --yes" in err
    assert control.facts(local_folder)


def test_an_update_changes_only_the_child_concerned_in_place(run, aws, name):
    assert run("create", "--json")[0] == 0
    status, out, err = run("update", "--param", "Colour=blue", "--json")
    answer = json.loads(out)
    assert (status, answer["action"], answer["status"]) == (0, "updated", "UPDATE_COMPLETE")
    tags = aws("ec2").describe_vpcs(VpcIds=[answer["outputs"]["Vpc"]])["Vpcs"][0]["Tags"]
    assert {"Key": "Colour", "Value": "blue"} in tags
    assert "NestedNetStack/Vpc" in err and "Subnet  AWS::EC2::Subnet" not in err


def test_an_update_of_nothing_says_so_and_keeps_values_given_before(run):
    assert run("create", "--param", "Colour=blue")[0] == 0
    status, out, _ = run("update")
    assert (status, out.startswith("nothing to update")) == (0, True)


def test_a_changed_template_of_a_child_is_seen(run, root, aws):
    assert run("create")[0] == 0
    write(root, net=NET.replace("10.7.0.0/16,", "10.7.0.0/16, EnableDnsHostnames: true,"))
    status, out, err = run("update", "--json")
    answer = json.loads(out)
    assert (status, answer["action"], answer["changed"], answer["destroys"]) == (0, "updated", True, []), err
    assert ("NestedNetStack/Vpc", "Modify") in {(one["path"], one["action"]) for one in answer["changes"]}
    vpc = answer["outputs"]["Vpc"]
    answer = aws("ec2").describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    assert answer["EnableDnsHostnames"] == {"Value": True}


def test_a_replacement_without_terminal_and_yes_is_refused_and_with_yes_done(run, root, aws, name):
    assert run("create")[0] == 0
    write(root, cidr="10.7.9.0/24")
    status, _, err = run("update")
    assert (status, "REPLACED" in err, "needs --yes" in err) == (3, True, True), err
    listed = aws("cloudformation").list_change_sets(StackName=name)["Summaries"]
    assert [one["ExecutionStatus"] for one in listed] == ["EXECUTE_COMPLETE"]  # that of the create
    status, _, err = run("update", "--yes")
    assert status == 0, err
    subnets = aws("ec2").describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.7.9.0/24"]}])
    assert len(subnets["Subnets"]) == 1


def test_a_failed_create_names_the_deepest_cause_and_leaves_nothing(run, root, aws, name):
    vpcs = len(aws("ec2").describe_vpcs()["Vpcs"])
    write(root, cidr="192.168.0.0/24")
    status, _, err = run("create")
    last = err.splitlines()[-1]
    assert status == 1
    assert f"{name}/NestedAppStack/Subnet (AWS::EC2::Subnet) CREATE_FAILED: " in last
    assert "Embedded stack" not in last
    assert len(aws("ec2").describe_vpcs()["Vpcs"]) == vpcs
    assert stacks(aws("cloudformation"), name) == ["ROLLBACK_COMPLETE"]


def test_a_second_create_after_a_rollback_deletes_and_creates_again(run, root, name):
    write(root, cidr="192.168.0.0/24")
    assert run("create")[0] == 1
    write(root)
    status, _, err = run("create")
    assert (status, "ROLLBACK_COMPLETE: deleting it first" in err) == (0, True), err


def test_a_failed_update_rolls_back_and_keeps_what_stood(run, root, aws, name):
    assert run("create")[0] == 0
    subnet = "{VpcId: vpc-01234567, CidrBlock: 10.7.1.0/24}"
    bad = f"  Bad:\n    Type: AWS::EC2::Subnet\n    Properties: {subnet}\n"
    write(root, net=NET.replace("Outputs:", bad + "Outputs:"))
    status, _, err = run("update")
    assert status == 1
    assert "UPDATE_ROLLBACK_COMPLETE" in err and "NestedNetStack/Bad" in err.splitlines()[-1]
    write(root)
    assert run("update")[1].startswith("nothing to update")


def test_teardown_deletes_the_root_and_retained_children_users_first(run, aws, name):
    vpcs = len(aws("ec2").describe_vpcs()["Vpcs"])
    assert run("create")[0] == 0
    assert run("teardown")[0] == 3
    status, out, err = run("teardown", "--yes")
    assert (status, out) == (0, f"stack {name} is deleted\n"), err
    assert err.index("NestedAppStack") < err.rindex(f"{name}/NestedNetStack")
    assert len(aws("ec2").describe_vpcs()["Vpcs"]) == vpcs
    assert stacks(aws("cloudformation"), name) == []
    status, out, _ = run("teardown", "--yes")
    assert (status, "does not exist: nothing to tear down" in out) == (0, True)


def test_teardown_finds_children_that_an_earlier_one_left_behind(run, aws, name):
    assert run("create")[0] == 0
    cfn = aws("cloudformation")
    cfn.delete_stack(StackName=name)
    cfn.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert set(deploy.left_behind(cfn, name)) == {"NestedNetStack", "NestedAppStack"}
    assert run("status")[0] == 0
    assert run("teardown", "--yes")[0] == 0
    assert deploy.left_behind(cfn, name) == {}
    assert run("status")[0] == 3


def test_no_wait_begins_and_the_next_run_attaches(run, aws, name):
    status, out, _ = run("create", "--no-wait")
    assert (status, "has begun" in out) == (0, True)
    status, out, _ = run("create")
    assert status == 0 and f"stack {name} CREATE_COMPLETE" in out


def test_update_of_a_stack_that_is_not_there_names_the_way_out(run):
    status, _, err = run("update")
    assert (status, "./create_stacks.sh makes it" in err) == (1, True)


def test_the_network_of_another_stack_is_used_by_name(run, root, aws, name):
    network = "Resources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties: {CidrBlock: 10.8.0.0/16}\n"
    network += "Outputs:\n  Vpc: {Value: !Ref Vpc}\n  Colour: {Value: an id that the root's switch is not}\n"
    aws("cloudformation").create_stack(StackName=f"{name}-net", TemplateBody=network)
    write(root, cidr="10.8.1.0/24")
    with_parameter(root, "Vpc: {Type: String, Default: ''}")
    path = root / "templates" / "nested-stack.yaml"
    path.write_text(path.read_text().replace("Vpc: !GetAtt NestedNetStack.Outputs.Vpc}", "Vpc: !Ref Vpc}", 1))
    status, _, err = run("create", "--network-stack", "no-such-stack")
    assert (status, "there is no such stack" in err) == (2, True)
    aws("cloudformation").get_waiter("stack_create_complete").wait(StackName=f"{name}-net")
    status, _, err = run("create", "--network-stack", f"{name}-net")
    assert status == 0, err
