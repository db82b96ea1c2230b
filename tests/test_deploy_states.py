"""Every state that an operator meets, against the embedded AWS: the way out, with consent, in one command."""

import json

import pytest
from botocore.exceptions import ClientError
from deploy_bench import aws, local, name, proxies, proxy, root, run, stacks, write

from aws_vpc import deploy

__all__ = ["aws", "local", "name", "proxies", "proxy", "root", "run"]
BUCKET = "  Bucket:\n    Type: AWS::S3::Bucket\n"
KEPT = "  Kept:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n"
BAD = "  Bad:\n    Type: AWS::SSM::Parameter\n    Properties: {Type: String, Name: /aws/taken, Value: x}\n"
WAIT = (
    "  Wait:\n    Type: AWS::CloudFormation::WaitCondition\n    {after}\n"
    "    Properties: {{Handle: !Ref Handle, Timeout: {seconds}}}\n"
    "  Handle:\n    Type: AWS::CloudFormation::WaitConditionHandle\n"
)
SUBNET = (
    "  Vpc:\n    Type: AWS::EC2::VPC\n    Properties: {{CidrBlock: 10.9.0.0/16}}\n"
    "  Subnet:\n    Type: AWS::EC2::Subnet\n    Properties: {{VpcId: !Ref Vpc, CidrBlock: {cidr}}}\n"
)


def resource(cfn, name, child, logical):
    """The physical id of a resource of a child."""
    stack = deploy.children(cfn, deploy.describe(cfn, name).id)[child]
    return cfn.describe_stack_resource(StackName=stack, LogicalResourceId=logical)["StackResourceDetail"][
        "PhysicalResourceId"
    ]


def test_a_plan_shows_values_masks_secrets_and_leaves_nothing(run, aws, name, root):
    cfn = aws("cloudformation")
    status, out, _ = run("plan", "--exit-code")
    assert (status, "NestedFirstStack/Parameter" in out) == (3, True)
    assert stacks(cfn, name) == []
    assert run("create", "--tags", "Team=blue,Cost=low", "--termination-protection")[0] == 0
    there = deploy.describe(cfn, name)
    assert there.protected and there.tags["Team"] == "blue" and there.tags["Project"] == "aws-vpc"
    assert run("plan", "--exit-code")[0] == 0
    given = ("--param", "Colour=blue", "--param", "Secret=not-to-be-seen")
    status, out, err = run("plan", *given, "--exit-code")
    assert status == 3 and "Value: red → blue" in out and "not-to-be-seen" not in out + err
    status, out, _ = run("plan", "--param", "Colour=blue", "--json")
    answer = json.loads(out)
    assert (answer["action"], answer["changed"], answer["destroys"]) == ("planned", True, [])
    changes = {one["path"]: one for one in answer["changes"]}
    assert {"path": "/Properties/Value", "before": "red", "after": "blue", "recreation": "Never"} in changes[
        "NestedFirstStack/Parameter"
    ]["properties"]
    assert all(one["Status"] != "CREATE_COMPLETE" or one["ExecutionStatus"] == "EXECUTE_COMPLETE"
               for one in cfn.list_change_sets(StackName=name)["Summaries"])  # fmt: skip
    status, _, err = run("teardown", "--yes")
    assert status == 3 and "--no-termination-protection ends that" in err
    assert run("teardown", "--yes", "--no-termination-protection")[0] == 0


def test_a_refused_first_plan_leaves_no_stack_under_review(run, aws, name):
    cfn = aws("cloudformation")
    url = "Resources: {Q: {Type: AWS::SQS::Queue}}"
    cfn.create_change_set(StackName=name, ChangeSetName="somebodys", ChangeSetType="CREATE", TemplateBody=url)
    assert stacks(cfn, name) == ["REVIEW_IN_PROGRESS"]
    assert "./create_stacks.sh plans again" in run("status")[1]
    assert run("create")[0] == 0
    assert stacks(cfn, name) == ["CREATE_COMPLETE"] * 3


def test_a_failed_create_tells_all_causes_whose_fault_and_what_to_change(run, aws, name, root):
    write(root, first=SUBNET.format(cidr="192.168.1.0/24"), second=BAD)
    aws("ssm")
    status, _, err = run("create", "--skip-checks")
    last = err.splitlines()[-1]
    assert status == 1
    assert f"{name}/NestedFirstStack/Subnet (AWS::EC2::Subnet) CREATE_FAILED" in last
    assert "template fault: change property CidrBlock" in last
    assert "cancelled" not in last and "Embedded stack" not in last
    assert "./create_stacks.sh deletes what is left and creates it again" in last
    status, out, _ = run("events", "--failed")
    assert status == 0 and "cause: " in out and "Subnet" in out
    status, out, _ = run("events", "--json")
    answer = json.loads(out)
    assert answer["causes"][0]["fault"] == "template fault"
    assert answer["events"][0]["path"] == name
    write(root)
    assert run("create")[0] == 0


def test_without_rollback_an_update_goes_on_from_where_it_failed(run, aws, name, root):
    cfn = aws("cloudformation")
    write(root, first=SUBNET.format(cidr="192.168.1.0/24"))
    status, _, err = run("create", "--no-rollback", "--skip-checks")
    assert status == 1 and "./update_stacks.sh goes on from there" in err
    assert deploy.describe(cfn, name).status == "CREATE_FAILED"
    write(root, first=SUBNET.format(cidr="10.9.1.0/24"))
    status, _, err = run("update", "--yes")
    assert status == 0, err
    assert deploy.describe(cfn, name).status == "UPDATE_COMPLETE"


def test_a_rollback_that_failed_goes_on_with_consent_and_skips_what_cannot(run, aws, name, root, proxy):
    cfn, sqs = aws("cloudformation"), aws("sqs")
    queue = "  Queue:\n    Type: AWS::SQS::Queue\n    Properties: {{VisibilityTimeout: {seconds}}}\n"
    write(root, first=queue.format(seconds=30))
    assert run("create")[0] == 0
    url = resource(cfn, name, "NestedFirstStack", "Queue")
    # The queue changes in place, somebody deletes it, then a sibling fails: it cannot be changed back.
    late = WAIT.format(after="DependsOn: Queue", seconds=3600)
    write(root, first=queue.format(seconds=60) + late)
    gone = []

    def delete_queue(operation, number):
        if gone or operation != "DescribeStackEvents":
            return
        child = changed(cfn, f"{name}-NestedFirstStack")
        if ("Wait", "CREATE_IN_PROGRESS") in child and ("Queue", "UPDATE_COMPLETE") in child:
            gone.append(sqs.delete_queue(QueueUrl=url))
            stack = deploy.children(cfn, deploy.describe(cfn, name).id)["NestedFirstStack"]
            cfn.signal_resource(StackName=stack, LogicalResourceId="Wait", UniqueId="u", Status="FAILURE")

    proxy.plan = delete_queue
    status, _, err = run("update", "--yes")
    assert (status, deploy.describe(cfn, name).status) == (1, "UPDATE_ROLLBACK_FAILED"), err
    assert "--continue-rollback goes on with the rollback" in err.splitlines()[-1]
    proxy.plan = lambda operation, number: None
    write(root)
    status, _, err = run("update")
    assert status == 3 and "NestedFirstStack/Queue" in err and "needs --continue-rollback" in err
    status, _, err = run("update", "--continue-rollback", "--skip", "NestedFirstStack/Nobody")
    assert status == 1 and "Nobody" in err.splitlines()[-1]
    status, _, err = run("update", "--yes", "--continue-rollback", "--skip", "NestedFirstStack/Queue")
    assert (status, "UPDATE_ROLLBACK_COMPLETE" in err) == (0, True), err


def changed(cfn, child):
    """What has been said of the resources of a child: logical ids and statuses, the latest first."""
    stack = next(
        one["StackName"] for one in cfn.describe_stacks()["Stacks"] if one["StackName"].startswith(child)
    )
    events = cfn.describe_stack_events(StackName=stack)["StackEvents"]
    return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in events]


def test_an_update_is_cancelled_and_a_running_one_followed(run, aws, name, root):
    cfn = aws("cloudformation")
    assert run("create")[0] == 0
    status, out, _ = run("update", "--cancel")
    assert (status, "there is no update to cancel" in out) == (0, True)
    write(root, first=WAIT.format(after="DependsOn: Handle", seconds=600))
    assert run("update", "--no-wait", "--yes")[0] == 0
    assert deploy.describe(cfn, name).status == "UPDATE_IN_PROGRESS"
    status, out, err = run("update", "--cancel")
    assert (status, "UPDATE_ROLLBACK_COMPLETE" in out) == (0, True), err
    write(root)
    assert run("update")[1].startswith("nothing to update")


def test_a_bucket_with_data_is_named_and_only_purged_when_that_is_asked_for(run, aws, name, root):
    cfn, s3 = aws("cloudformation"), aws("s3")
    write(root, first=BUCKET + KEPT)
    assert run("create")[0] == 0
    bucket, kept = (resource(cfn, name, "NestedFirstStack", one) for one in ("Bucket", "Kept"))
    for one in (bucket, kept):
        s3.put_object(Bucket=one, Key="a", Body=b"1")
    status, out, _ = run("teardown", "--dry-run")
    assert status == 0 and f"NestedFirstStack/Kept (AWS::S3::Bucket) {kept}: kept by its policy Retain" in out
    status, _, err = run("teardown", "--yes")
    assert status == 3 and "NestedFirstStack/Bucket (1 objects)" in err and "--purge-data empties them" in err
    assert stacks(cfn, name) == ["CREATE_COMPLETE"] * 3
    status, out, err = run("teardown", "--yes", "--purge-data")
    assert status == 0, err
    assert f"bucket {bucket} emptied of 1 objects" in err and kept in out
    status, out, _ = run("status")
    assert status == 3 and f"kept: bucket {kept}" in out and bucket not in out
    assert kept not in run("status", "--region", "eu-central-1")[1]  # a namesake would not be there
    assert s3.list_objects_v2(Bucket=kept)["KeyCount"] == 1
    with pytest.raises(ClientError):
        s3.head_bucket(Bucket=bucket)
    assert run("teardown", "--yes")[0] == 0


def test_what_is_to_be_left_standing_has_to_be_there_and_is_told_as_it_will_be(run, aws, name):
    assert run("create")[0] == 0
    status, _, err = run("teardown", "--yes", "--retain", "NestedFirstStack/Paramter")
    assert (status, "do you mean NestedFirstStack/Parameter" in err) == (2, True), err
    assert stacks(aws("cloudformation"), name) == ["CREATE_COMPLETE"] * 3
    status, out, _ = run("teardown", "--dry-run", "--retain", "NestedFirstStack/Parameter")
    assert status == 0 and ": deleted, or left standing where it cannot be" in out
    assert run("teardown", "--yes", "--retain", "NestedFirstStack/Parameter")[0] == 0
    # Run again, there is nothing of it any more to be left.
    assert run("teardown", "--yes", "--retain", "NestedFirstStack/Parameter")[0] == 0


def test_a_resource_that_blocks_is_left_standing_when_that_is_asked_for(run, aws, name, root):
    cfn, s3 = aws("cloudformation"), aws("s3")
    write(root, first=BUCKET)
    assert run("create")[0] == 0
    bucket = resource(cfn, name, "NestedFirstStack", "Bucket")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    status, _, err = run("teardown", "--yes", "--retain", "NestedFirstStack/Bucket")
    assert status == 0, err
    assert stacks(cfn, name) == []
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_deletion_that_failed_names_what_blocks_and_the_next_run_finishes(run, aws, name, root, proxy):
    cfn, s3 = aws("cloudformation"), aws("s3")
    write(root, first=BUCKET)
    assert run("create")[0] == 0
    bucket = resource(cfn, name, "NestedFirstStack", "Bucket")
    # Filled after it was looked at: as soon as the root is being deleted.
    proxy.plan = lambda operation, number: (
        s3.put_object(Bucket=bucket, Key="a", Body=b"1") and None if operation == "DeleteStack" else None
    )
    status, _, err = run("teardown", "--yes")
    last = err.splitlines()[-1]
    assert status == 1 and "NestedFirstStack/Bucket" in last and "environment fault" in last, last
    assert "--retain" in last and "--purge-data" in last
    proxy.plan = lambda operation, number: None
    status, _, err = run("teardown", "--yes", "--purge-data")
    assert status == 0, err
    assert stacks(cfn, name) == []


def test_an_export_in_use_is_one_line_and_the_next_run_finishes(run, aws, name, root):
    cfn = aws("cloudformation")
    export = f"  Shared: {{Value: !Ref Parameter, Export: {{Name: {name}-shared}}}}"
    write(root, outputs=export)
    assert run("create")[0] == 0
    user = "Resources:\n  P:\n    Type: AWS::SSM::Parameter\n    Properties:\n      Type: String\n"
    user += f"      Value: {{'Fn::ImportValue': {name}-shared}}\n"
    cfn.create_stack(StackName=f"user-{name}", TemplateBody=user)
    cfn.get_waiter("stack_create_complete").wait(StackName=f"user-{name}", WaiterConfig={"Delay": 1})
    status, _, err = run("teardown", "--yes")
    assert status == 1
    assert f"{name}-shared" in err.splitlines()[-1] and f"user-{name}" in err.splitlines()[-1]
    cfn.delete_stack(StackName=f"user-{name}")
    cfn.get_waiter("stack_delete_complete").wait(StackName=f"user-{name}", WaiterConfig={"Delay": 1})
    assert run("teardown", "--yes")[0] == 0
    assert stacks(cfn, name) == []


def test_drift_in_a_child_is_found_and_reverted(run, aws, name):
    cfn, ssm = aws("cloudformation"), aws("ssm")
    assert run("create")[0] == 0
    status, out, _ = run("drift")
    assert status == 0, out
    parameter = resource(cfn, name, "NestedFirstStack", "Parameter")
    ssm.put_parameter(Name=parameter, Value="pink", Type="String", Overwrite=True)
    status, out, _ = run("drift")
    assert status == 3 and "NestedFirstStack/Parameter" in out and "red → pink" in out
    status, out, err = run("drift", "--revert", "--yes")
    assert status == 0, err
    assert ssm.get_parameter(Name=parameter)["Parameter"]["Value"] == "red"
    assert run("drift")[0] == 0


def test_another_account_than_at_first_is_refused(run, aws, name, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_VPC_STATE_DIR", str(tmp_path / "state"))
    status, _, err = run("create", "--expect-account", "999999999999")
    assert status == 3 and "account 123456789012" in err and "999999999999" in err
    assert run("create")[0] == 0
    remembered = tmp_path / "state" / "accounts.json"
    assert json.loads(remembered.read_text()) == {f"us-west-2/{name}": "123456789012"}
    remembered.write_text(json.dumps({f"us-west-2/{name}": "999999999999"}))
    status, _, err = run("update", "--param", "Colour=blue")
    assert status == 3 and f"stack {name} was created in 999999999999" in err
    assert run("teardown", "--yes", "--expect-account", "123456789012")[0] == 0
    assert json.loads(remembered.read_text()) == {}


def test_parameters_come_from_the_environment_last(run, aws, name, monkeypatch):
    monkeypatch.setenv("AWS_VPC_PARAM_Colour", "green")
    assert run("create")[0] == 0
    assert deploy.describe(aws("cloudformation"), name).parameters["Colour"] == "green"
    status, out, _ = run("plan", "--param", "Colour=blue", "--json")
    assert (status, "blue" in out) == (0, True)


def test_a_stack_policy_is_set_and_protects(run, aws, name, tmp_path):
    policy = tmp_path / "policy.json"
    deny = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    policy.write_text(json.dumps({"Statement": [deny]}))
    assert run("create", "--stack-policy", str(policy))[0] == 0
    found = aws("cloudformation").get_stack_policy(StackName=name)["StackPolicyBody"]
    assert json.loads(found) == {"Statement": [deny]}
    status, _, err = run("update", "--param", "Colour=blue")
    assert status == 1 and "--stack-policy sets another" in err.splitlines()[-1]


def test_faults_of_templates_are_refused_before_anything_is_uploaded(run, aws, name, root, proxy):
    write(root, first="  Bad:\n    Type: AWS::EC2::Subnet\n    Properties: {VpcId: nonsense}\n")
    status, _, err = run("create")
    assert status == 3 and "faults in what is to be deployed" in err and "--skip-checks" in err
    assert stacks(aws("cloudformation"), name) == [] and "PUT object" not in proxy.calls
