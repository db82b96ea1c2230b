"""Create, update, fail, tear down: the commands against the embedded AWS, with small templates."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import boto3
import pytest

from aws_vpc import cli, deploy, follow
from aws_vpc.errors import DeployFailed
from aws_vpc.local import control
from aws_vpc.wait import Wait

ROOT = """
Parameters:
  TemplateBaseUrl: {{Type: String}}
  Colour: {{Type: String, Default: red, AllowedValues: [red, blue]}}
Resources:
  NestedNetStack:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${{TemplateBaseUrl}}/net.yaml
      Parameters: {{Colour: !Ref Colour}}
  NestedAppStack:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${{TemplateBaseUrl}}/app.yaml
      Parameters: {{Vpc: !GetAtt NestedNetStack.Outputs.Vpc}}
Outputs:
  Vpc: {{Value: !GetAtt NestedNetStack.Outputs.Vpc}}
{more}
"""
NET = """
Parameters:
  Colour: {Type: String}
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.7.0.0/16, Tags: [{Key: Colour, Value: !Ref Colour}]}
Outputs:
  Vpc: {Value: !Ref Vpc}
"""
APP = """
Parameters:
  Vpc: {{Type: 'AWS::EC2::VPC::Id'}}
Resources:
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {{VpcId: !Ref Vpc, CidrBlock: {cidr}}}
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """An embedded AWS of this module's own."""
    folder = tmp_path_factory.mktemp("embedded")
    facts = control.start(folder)
    yield folder, facts
    control.stop(folder)


@pytest.fixture
def aws(local, monkeypatch):
    """The environment leads to it, for the test and the commands in it."""
    folder, facts = local
    before = dict(os.environ)
    monkeypatch.setenv("AWS_VPC_LOCAL_DIR", str(folder))
    os.environ.update(facts.environment())
    yield lambda service: boto3.client(service)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def name(request):
    return "t-" + "".join(c if c.isalnum() else "-" for c in request.node.name.removeprefix("test_"))[:60]


@pytest.fixture
def root(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "eb-flask").mkdir()
    (tmp_path / "eb-flask" / "application.py").write_text("application = None\n")
    write(tmp_path)
    return tmp_path


def write(root, *, net=NET, cidr="10.7.1.0/24", more=""):
    (root / "templates" / "nested-stack.yaml").write_text(ROOT.format(more=more))
    (root / "templates" / "net.yaml").write_text(net)
    (root / "templates" / "app.yaml").write_text(APP.format(cidr=cidr))


@pytest.fixture
def run(aws, root, name, capsys):
    """A command against this test's stack: exit status, standard output, standard error."""

    def run(command, *arguments):
        capsys.readouterr()
        where = ["--repo-root", str(root)]
        local = ["--local"] if command != "teardown" else []
        status = cli.main([command, *local, "--stack-name", name, *where, *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


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
    text = (root / "templates" / "nested-stack.yaml").read_text()
    text = text.replace("Resources:", "  WebPort: {Type: Number}\nResources:", 1)
    (root / "templates" / "nested-stack.yaml").write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = run("create", "--param", f"WebPort={port}")
    assert status == 2
    assert f"--param WebPort={port}: Address already in use on this machine" in err.splitlines()[-1]
    assert deploy.describe(aws("cloudformation"), name) is None


def test_a_local_teardown_asks_before_it_ends_other_stacks(run, local):
    assert run("create")[0] == 0
    status, _, err = run("teardown", "--local", "--stack-name", "mistyped")
    assert status == 3
    assert "Stack mistyped does not exist. End the embedded AWS with " in err and "needs --yes" in err
    assert control.facts(local[0])


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
    stacks = [one["StackName"] for one in aws("cloudformation").describe_stacks()["Stacks"]]
    assert [one for one in stacks if one.startswith(name)] == [name]


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
    left = [one["StackName"] for one in aws("cloudformation").describe_stacks()["Stacks"]]
    assert not [one for one in left if one.startswith(name)]
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
    text = (root / "templates" / "nested-stack.yaml").read_text()
    text = text.replace("Resources:", "  Vpc: {Type: String, Default: ''}\nResources:", 1)
    text = text.replace("Vpc: !GetAtt NestedNetStack.Outputs.Vpc}", "Vpc: !Ref Vpc}", 1)
    (root / "templates" / "nested-stack.yaml").write_text(text)
    write_app = APP.format(cidr="10.8.1.0/24")
    (root / "templates" / "app.yaml").write_text(write_app)
    status, _, err = run("create", "--network-stack", "no-such-stack")
    assert (status, "there is no such stack" in err) == (2, True)
    aws("cloudformation").get_waiter("stack_create_complete").wait(StackName=f"{name}-net")
    status, _, err = run("create", "--network-stack", f"{name}-net")
    assert status == 0, err
    assert run("update")[1].startswith("nothing to update")


def test_a_master_password_goes_into_a_secret_and_nowhere_else(run, root, aws, name, tmp_path):
    text = (root / "templates" / "nested-stack.yaml").read_text()
    names = ("MasterSecret", "NatGateway", "ElasticIp", "WebIngressCidr")
    more = "".join(f"  {one}: {{Type: String}}\n" for one in names)
    (root / "templates" / "nested-stack.yaml").write_text(text.replace("Resources:", more + "Resources:", 1))
    status, out, err = run("create", "awsuser", "Passw0rd9", "203.0.113.7", str(root), "false", "false")
    assert status == 0, err
    assert "Passw0rd9" not in out + err
    secret = aws("secretsmanager").get_secret_value(SecretId=f"{name}/master")
    assert json.loads(secret["SecretString"]) == {"username": "awsuser", "password": "Passw0rd9"}
    parameters = deploy.describe(aws("cloudformation"), name).parameters
    assert parameters["MasterSecret"] == secret["ARN"]
    assert run("teardown", "--yes")[0] == 0
    names = [one["Name"] for one in aws("secretsmanager").list_secrets()["SecretList"]]
    assert f"{name}/master" not in names


class Answers:
    """A CloudFormation client whose DescribeStackEvents gives the pages it is told, faults included."""

    def __init__(self, *pages):
        self.pages = list(pages)

    def get_paginator(self, _):
        return self

    def paginate(self, StackName):
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        if isinstance(page, Exception):
            raise page
        return [{"StackEvents": page[::-1]}]


def member(number, status, logical="app", physical="app-id", kind="AWS::CloudFormation::Stack"):
    return {
        "EventId": f"{number}",
        "StackId": "app-id",
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "ResourceStatus": status,
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
    }


def clock(deadline=100.0):
    """A wait on a clock that only sleeping moves."""
    time = [0.0]
    return Wait(deadline, now=lambda: time[0], sleep=lambda seconds: time.__setitem__(0, time[0] + seconds))


def throttled(status=400, code="Throttling"):
    answer = {
        "Error": {"Code": code, "Message": "Rate exceeded"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return deploy.ClientError(answer, "DescribeStackEvents")


def test_events_are_told_once_in_order_however_often_they_are_listed():
    first = [member(1, "CREATE_IN_PROGRESS")]
    second = [*first, member(2, "CREATE_COMPLETE", "Queue", "q", "AWS::SQS::Queue")]
    third = [*second, member(3, "CREATE_COMPLETE")]
    found = list(
        follow.follow(Answers(first, first, second, third), [follow.Watch("app-id", ("app",))], clock())
    )
    assert [one.event_id for one in found] == ["1", "2", "3"]


def test_an_event_that_is_listed_late_is_not_lost():
    late = member(2, "CREATE_COMPLETE", "Queue", "q", "AWS::SQS::Queue")
    first = [
        member(1, "CREATE_IN_PROGRESS"),
        member(3, "CREATE_IN_PROGRESS", "Other", "o", "AWS::SQS::Queue"),
    ]
    last = [first[0], late, first[1], member(4, "CREATE_COMPLETE")]
    found = list(follow.follow(Answers(first, last), [follow.Watch("app-id", ("app",))], clock()))
    assert {one.event_id for one in found} == {"1", "2", "3", "4"}


def test_throttling_and_a_server_s_fault_lose_nothing():
    page = [member(1, "CREATE_IN_PROGRESS"), member(2, "CREATE_COMPLETE")]
    faults = [throttled() for _ in range(20)] + [throttled(503, "ServiceUnavailable")]
    found = list(follow.follow(Answers(*faults, page), [follow.Watch("app-id", ("app",))], clock()))
    assert [one.event_id for one in found] == ["1", "2"]


def test_a_refusal_is_not_tried_again():
    with pytest.raises(deploy.ClientError):
        list(
            follow.follow(
                Answers(throttled(400, "AccessDenied")), [follow.Watch("app-id", ("app",))], clock()
            )
        )


def test_nothing_is_waited_for_past_the_deadline():
    forever = Answers([member(1, "CREATE_IN_PROGRESS")])
    with pytest.raises(DeployFailed, match="not finished after 2 minutes; it goes on in AWS"):
        list(follow.follow(forever, [follow.Watch("app-id", ("app",))], clock(100)))


def test_pauses_grow_from_a_third_of_a_second_to_five():
    wait = clock(1000)
    times = []
    with pytest.raises(DeployFailed):
        for seconds in wait.pauses("x"):
            times.append(seconds)
    gaps = [round(after - before, 2) for before, after in pairwise(times)]
    assert (gaps[0], max(gaps)) == (0.3, 5.0)
    assert gaps[:-1] == sorted(gaps[:-1])


def at_a_terminal(*arguments, answer=""):
    """What a command shows to somebody at a terminal who types `answer`, and its exit status."""
    master, slave = pty.openpty()
    argv = [sys.executable, "-m", "aws_vpc", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        os.write(master, answer.encode())
        shown = b""
        with suppress(OSError):  # the terminal is gone when the command has ended
            while part := os.read(master, 65536):
                shown += part
        status = process.wait(60)
    os.close(master)
    return status, shown.decode()


def test_at_a_terminal_questions_are_asked_and_a_tree_is_drawn(aws, root, name):
    where = ["--stack-name", name, "--repo-root", str(root)]
    text = (root / "templates" / "nested-stack.yaml").read_text()
    text = text.replace("Resources:", "  WebIngressCidr: {Type: String}\nResources:", 1)
    (root / "templates" / "nested-stack.yaml").write_text(text)
    create = ["create", *where, "--param", "WebIngressCidr=203.0.113.7"]
    status, shown = at_a_terminal(*create, answer="n\n")
    assert status == 3 and f"Create stack {name} with 2 nested stacks" in shown
    assert deploy.describe(aws("cloudformation"), name) is None
    status, shown = at_a_terminal(*create, answer="y\n")
    assert status == 0, shown
    assert "└── NestedAppStack  1/1  CREATE_COMPLETE" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    status, shown = at_a_terminal("teardown", *where, answer="something else\n")
    assert status == 3 and "nothing has been changed" in shown
    status, shown = at_a_terminal("teardown", *where, answer=f"{name}\n")
    assert status == 0 and f"stack {name} is deleted" in shown


def test_ctrl_c_says_what_goes_on_and_the_next_run_finishes_it(run, root, aws, name):
    argv = [sys.executable, "-m", "aws_vpc", "create", "--local", "--stack-name", name]
    with subprocess.Popen([*argv, "--repo-root", str(root)], stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "creating stack" in line:
                process.send_signal(signal.SIGINT)
                break
        told = process.stderr.read()
        assert process.wait(30) in {0, 130}
    if process.returncode == 130:
        assert "the same command, run again, follows it" in told
    assert run("create")[0] == 0


def test_two_creates_at_once_make_one_stack(aws, root, name):
    argv = [sys.executable, "-m", "aws_vpc", "create", "--local", "--stack-name", name]
    both = [subprocess.Popen([*argv, "--repo-root", str(root), "--quiet"]) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    stacks = [one["StackName"] for one in aws("cloudformation").describe_stacks()["Stacks"]]
    assert len([one for one in stacks if one.startswith(name)]) == 3
