"""What is kept outlives a stop, a kill -9 at any moment, and a restart of the machine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from codedeploy_site import Site
from embedded import Embedded, until
from event_tap import tap, told
from test_isolation import modes_below

from aws_vpc.errors import LocalError
from aws_vpc.local import control, state_files

DATABASE = {
    "DBInstanceIdentifier": "kept",
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "MasterUsername": "owner",
    "MasterUserPassword": "correct-horse-1",
    "DBName": "people",
}
TEMPLATE = """
Parameters: {Value: {Type: String, Default: one}}
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Value}}
  Network: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/16}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: a, VpcId: !Ref Network}}
Outputs:
  Queue: {Value: !Ref Queue}
  Network: {Value: !Ref Network, Export: {Name: network}}
"""
MANY = 100  # events of one request
WHOLE = bytes(range(256)) * 4096 * 8  # 8 MB: more than moto holds in memory


class Machine:
    """An embedded AWS that keeps its state, and is started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.aws = Embedded(control.start(folder, keep=True), folder)
        self.site: Site | None = None  # pages that CodeDeploy has put up

    def again(self) -> None:
        """Start it, after it has ended somehow."""
        self.aws.close()
        self.aws = Embedded(control.start(self.folder), self.folder)

    def kill(self) -> list[psutil.Process]:
        """End it at once; all that it ran."""
        supervisor = psutil.Process(self.aws.facts.pid)
        family = supervisor.children(recursive=True)
        os.kill(self.aws.facts.pid, signal.SIGKILL)
        until(lambda: not control.held(self.folder / "lock"))
        return family

    def connect(self) -> Any:
        """A session on the database that is available."""
        (found,) = until(self.available)
        return psycopg2.connect(
            host=found["Endpoint"]["Address"],
            port=found["Endpoint"]["Port"],
            user="owner",
            password="correct-horse-1",
            dbname="people",
            sslmode="verify-full",
            sslrootcert=self.aws.facts.ca,
        )

    def available(self) -> list[Any]:
        listed = self.aws.client("rds").describe_db_instances()["DBInstances"]
        return [each for each in listed if each["DBInstanceStatus"] == "available"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("kept") / "local"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        made = Machine(folder)
        try:
            fill(made)
            yield made
        finally:
            made.aws.close()
            control.stop(folder)
            control.forget(folder)


def fill(machine: Machine) -> None:
    """Put one of everything in."""
    client = machine.aws.client
    client("rds").create_db_instance(**DATABASE)
    client("cloudformation").create_stack(StackName="kept", TemplateBody=TEMPLATE)
    client("s3").create_bucket(Bucket="kept")
    client("s3").put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    client("s3").put_object(Bucket="kept", Key="a", Body=b"first")
    client("s3").put_object(Bucket="kept", Key="a", Body=WHOLE)
    client("s3").put_object(Bucket="kept", Key="gone", Body=b"")
    client("s3").delete_object(Bucket="kept", Key="gone")
    client("secretsmanager").create_secret(Name="kept", SecretString="s")
    client("kms").create_key()
    client("codedeploy").create_application(applicationName="kept")
    client("codebuild").create_project(
        name="kept",
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {commands: [make]}}"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole="arn:aws:iam::123456789012:role/r",
    )
    client("s3").create_bucket(Bucket="told")
    tap(client, "told")
    client("s3").create_bucket(Bucket="bundles")
    machine.site = Site(machine.aws, "kept-pages")
    machine.site.run_instance()
    assert machine.site.deploy(machine.site.bundle("first"))["status"] == "Succeeded"
    client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="kept", WaiterConfig={"Delay": 1, "MaxAttempts": 600}
    )
    with machine.connect() as session, session.cursor() as cursor:
        cursor.execute("CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 500)")
    session.close()


def seen(machine: Machine) -> dict[str, Any]:
    """What a client sees of everything."""
    client = machine.aws.client
    session = machine.connect()
    with session, session.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(n) FROM t")
        rows = cursor.fetchone()
    session.close()
    s3, cfn = client("s3"), client("cloudformation")
    stack = cfn.describe_stacks(StackName="kept")["Stacks"][0]
    versions = s3.list_object_versions(Bucket="kept")
    return {
        "rows": rows,
        "stack": (stack["StackStatus"], stack["Outputs"], stack["CreationTime"], stack["StackId"]),
        "events": len(cfn.describe_stack_events(StackName="kept")["StackEvents"]),
        "exports": cfn.list_exports()["Exports"],
        "resources": {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in cfn.describe_stack_resources(StackName="kept")["StackResources"]
        },
        "body": s3.get_object(Bucket="kept", Key="a")["Body"].read() == WHOLE,
        "versions": [(one["Key"], one["VersionId"], one["ETag"]) for one in versions["Versions"]],
        "markers": [one["Key"] for one in versions["DeleteMarkers"]],
        "secret": client("secretsmanager").get_secret_value(SecretId="kept")["SecretString"],
        "keys": client("kms").list_keys()["Keys"],
        "applications": client("codedeploy").list_applications()["applications"],
        "projects": client("codebuild").list_projects()["projects"],
        "page": machine.site and machine.site.page(),
        "groups": client("ec2").describe_security_groups()["SecurityGroups"],
    }


def test_a_stop_and_a_start_bring_all_back(machine: Machine) -> None:
    before = seen(machine)
    assert before["rows"] == (500, 125250)
    first = machine.aws.facts
    assert control.stop(machine.folder)
    assert control.kept(machine.folder)
    machine.again()
    assert seen(machine) == before
    assert machine.aws.facts.endpoint == first.endpoint
    assert machine.aws.facts.access_key != first.access_key  # a run's secrets are its own


def test_a_kill_and_a_start_bring_all_back(machine: Machine) -> None:
    client = machine.aws.client
    client("s3").put_object(Bucket="kept", Key="last", Body=b"just now")
    before = seen(machine)
    gone = {f"gone-{number}" for number in range(MANY)}
    listed = {"Objects": [{"Key": key} for key in gone], "Quiet": False}
    client("s3").delete_objects(Bucket="told", Delete=listed)  # more events than are delivered by now
    for process in machine.kill():
        process.wait(300)
    machine.again()
    assert told(machine.aws.client, gone) == gone
    assert seen(machine) == before
    assert machine.aws.client("s3").get_object(Bucket="kept", Key="last")["Body"].read() == b"just now"


def test_what_came_back_goes_on(machine: Machine) -> None:
    cfn = machine.aws.client("cloudformation")
    cfn.update_stack(
        StackName="kept",
        TemplateBody=TEMPLATE,
        Parameters=[{"ParameterKey": "Value", "ParameterValue": "two"}],
    )
    cfn.get_waiter("stack_update_complete").wait(
        StackName="kept", WaiterConfig={"Delay": 1, "MaxAttempts": 600}
    )
    name = seen(machine)["resources"]["Parameter"]
    assert machine.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "two"


def status(machine: Machine) -> str:
    return str(machine.aws.client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceStatus"])


def test_after_a_kill_what_was_cut_short_has_failed_and_what_was_stopped_is_stopped(machine: Machine) -> None:
    cfn = machine.aws.client("cloudformation")
    before = settled(cfn, "kept")
    waiting = """
Resources:
  First: {Type: AWS::SQS::Queue}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Never:
    Type: AWS::CloudFormation::WaitCondition
    DependsOn: First
    Properties: {Handle: !Ref Handle, Timeout: 900}
"""
    cfn.create_stack(StackName="cut", TemplateBody=waiting)
    machine.aws.client("rds").stop_db_instance(DBInstanceIdentifier="kept")
    until(lambda: status(machine) == "stopped")
    until(lambda: "First" in complete(machine, "cut"))
    machine.aws.client("s3").put_object(Bucket="kept", Key="then", Body=b"")  # on the disk, and the stack too
    machine.kill()
    machine.again()
    assert status(machine) == "stopped"
    machine.aws.client("rds").start_db_instance(DBInstanceIdentifier="kept")
    cfn = machine.aws.client("cloudformation")
    assert until(lambda: settled(cfn, "cut")) == "CREATE_FAILED"
    cfn.delete_stack(StackName="cut")
    cfn.get_waiter("stack_delete_complete").wait(StackName="cut", WaiterConfig={"Delay": 1})
    assert settled(cfn, "kept") == before
    assert seen(machine)["rows"] == (500, 125250)


def complete(machine: Machine, name: str) -> list[str]:
    listed = machine.aws.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    return [one["LogicalResourceId"] for one in listed if one["ResourceStatus"] == "CREATE_COMPLETE"]


def settled(cfn: Any, name: str) -> str | None:
    """The status of a stack at rest."""
    found = str(cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    return None if found.endswith("_IN_PROGRESS") else found


def test_nobody_else_can_read_what_is_kept(machine: Machine) -> None:
    assert (machine.folder / "state").stat().st_mode & 0o077 == 0
    modes = dict(modes_below(machine.folder / "state"))
    assert modes and [path for path, mode in modes.items() if mode & 0o077] == []


def test_no_half_of_a_state_is_left(machine: Machine) -> None:
    machine.aws.client("s3").delete_object(Bucket="kept", Key="then")
    manifest, files = until(lambda: at_rest(machine.folder / "state"))
    kept = {*json.loads(manifest)["files"].values(), "manifest.json"}
    assert kept <= files
    assert {name for name in files - kept if not name.endswith(".pickle")} <= {"manifest.json.new"}


def at_rest(state: Path) -> tuple[str, set[str]] | None:
    """The manifest, and the files of a state that was not changed while they were listed."""
    before = (state / "manifest.json").read_text()
    files = {path.name for path in state.iterdir() if not path.is_dir()}
    return (before, files) if (state / "manifest.json").read_text() == before else None


def test_a_state_of_another_version_is_refused_in_one_line(machine: Machine) -> None:
    control.stop(machine.folder)
    path = machine.folder / "state" / "manifest.json"
    text = path.read_text()
    other = "aws_vpc.local.rds.Instance"
    for change, named, begin in (
        ({"moto": "4.0.0"}, "is of moto 4.0.0", partial(state_files.read, path.parent)),
        ({"format": 0}, "is of format 0", partial(state_files.read, path.parent)),
        (
            {"classes": {other: "other"}},
            f"another version of {other}",
            partial(control.start, machine.folder),
        ),
    ):
        path.write_text(written := json.dumps(json.loads(text) | change))
        with pytest.raises(LocalError, match=f"{named}.*local reset") as caught:
            begin()
        assert "\n" not in str(caught.value)
        assert path.read_text() == written  # nothing was changed
    path.write_text(text)
    machine.again()
    assert seen(machine)["rows"] == (500, 125250)


def test_without_keep_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "local"
    aws = Embedded(control.start(folder), folder)
    aws.client("s3").create_bucket(Bucket="passing")
    aws.close()
    control.stop(folder)
    assert not control.kept(folder)
    assert not control.forget(folder)
    aws = Embedded(control.start(folder), folder)
    assert aws.client("s3").list_buckets()["Buckets"] == []
    aws.close()
    control.stop(folder)
