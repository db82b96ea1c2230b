"""An embedded AWS is its user's alone, on loopback, and several run side by side under names."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.session
import psutil
import psycopg2
import pytest
from embedded import Embedded, until

from aws_vpc import cli
from aws_vpc.local import control

COMMAND = [sys.executable, "-m", "aws_vpc"]
DATABASE = {
    "DBInstanceIdentifier": "alone",
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "MasterUsername": "owner",
    "MasterUserPassword": "correct-horse-1",
}
OPEN = 0o077  # what others would need


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("isolation") / "local"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_VPC_LOCAL_DIR", str(folder))
        yield folder
        for name in control.names():
            control.stop(control.folder_of(name))


@pytest.fixture(scope="module")
def aws(base: Path) -> Iterator[Embedded]:
    """The one without a name, with a database and a warehouse."""
    before = os.umask(0o000)  # the loosest there is
    try:
        made = Embedded(control.start(base), base)
    finally:
        os.umask(before)
    made.client("rds").create_db_instance(**DATABASE)
    made.client("redshift").create_cluster(
        ClusterIdentifier="alone", NodeType="ra3.large", MasterUsername="owner",
        MasterUserPassword="Correct-horse-1", ClusterType="single-node",
    )  # fmt: skip
    cluster = made.client("redshift").describe_clusters
    until(lambda: cluster()["Clusters"][0]["ClusterStatus"] == "available")
    instance = made.client("rds").describe_db_instances
    until(lambda: instance()["DBInstances"][0]["DBInstanceStatus"] == "available")
    yield made
    made.close()


def run(*words: str) -> dict[str, Any]:
    """A command's answer; the environment, in which it notes the chosen name, is put back."""
    told = io.StringIO()
    with mock.patch.dict(os.environ), contextlib.redirect_stdout(told):
        assert cli.main([*words, "--json"]) == 0
    return dict(json.loads(told.getvalue()))


def test_every_port_is_on_loopback(aws: Embedded) -> None:
    supervisor = psutil.Process(aws.facts.pid)
    seen = [
        one for each in (supervisor, *supervisor.children(recursive=True)) for one in each.net_connections()
    ]
    listening = {(one.laddr.ip, one.laddr.port) for one in seen if one.status == psutil.CONN_LISTEN}
    assert len(listening) >= 4  # the endpoint, both databases, the warehouse
    assert {address for address, _ in listening} == {"127.0.0.1"}


def test_nothing_is_readable_by_others_whatever_the_umask(aws: Embedded) -> None:
    assert stat.S_IMODE(aws.folder.stat().st_mode) & OPEN & ~0o011 == 0
    modes = {path: mode for path, mode in modes_below(aws.folder) if stat.S_ISREG(mode)}
    loose = [str(path) for path, mode in modes.items() if mode & OPEN and path.suffix != ".pem"]
    assert modes and loose == []  # certificates are public
    data = (aws.folder / "postgres" / "data").resolve() if os.geteuid() == 0 else aws.folder / "postgres"
    for server in data.glob("r*-alone"):
        assert stat.S_IMODE(server.stat().st_mode) & OPEN == 0


def modes_below(folder: Path) -> Iterator[tuple[Path, int]]:
    """What is below a folder in which servers work, with its mode; files come and go meanwhile."""
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):
                path = Path(above, name)
                yield path, path.lstat().st_mode


def test_no_secret_is_in_a_command_line(aws: Embedded) -> None:
    supervisor = psutil.Process(aws.facts.pid)
    lines = [" ".join(each.cmdline()) for each in (supervisor, *supervisor.children(recursive=True))]
    text = "\n".join(lines)
    password = (aws.folder / "postgres" / "password").read_text()
    for secret in (aws.facts.secret_key, aws.facts.access_key, password, "orrect-horse-1"):
        assert secret not in text


@pytest.mark.parametrize(
    "path", ["/", "/moto-api/reset", "/moto-api/config", "/moto-api/data.json", "/latest/"]
)
def test_the_endpoint_does_nothing_without_the_runs_own_key(aws: Embedded, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAOTHER/20260101/us-east-1/s3/aws4_request"},
    ):
        asked = urllib.request.Request(aws.facts.endpoint + path, b"{}", headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(asked)
        assert caught.value.code == 403
        caught.value.close()


def test_the_databases_let_nobody_in_without_their_passwords(aws: Embedded) -> None:
    instance = aws.client("rds").describe_db_instances()["DBInstances"][0]["Endpoint"]["Port"]
    cluster = aws.client("redshift").describe_clusters()["Clusters"][0]["Endpoint"]["Port"]
    supervisor = psutil.Process(aws.facts.pid)
    behind = {
        one.laddr.port
        for each in supervisor.children(recursive=True)
        if each.name().startswith("postgres")
        for one in each.net_connections()
        if one.status == psutil.CONN_LISTEN
    }
    for port in {instance, cluster} | behind:
        for user in ("owner", "rdsadmin", "postgres"):
            for password in ("", "guess", secrets.token_urlsafe()):
                with pytest.raises(psycopg2.OperationalError):
                    psycopg2.connect(
                        host="127.0.0.1", port=port, user=user, password=password, dbname="postgres",
                        connect_timeout=10,
                    )  # fmt: skip


def test_instances_stand_side_by_side_under_names(aws: Embedded, base: Path) -> None:
    other = run("local", "start", "--name", "other", "--keep")
    assert other["endpoint"] != aws.facts.endpoint
    try:
        facts = control.facts(control.folder_of("other"))
        assert facts is not None
        s3 = Embedded(facts, control.folder_of("other"))
        s3.client("s3").create_bucket(
            Bucket="mine", CreateBucketConfiguration={"LocationConstraint": facts.region}
        )
        s3.close()
        assert aws.client("s3").list_buckets()["Buckets"] == []
        scope = f"Credential={aws.facts.access_key}/20260101/us-east-1/s3/aws4_request"
        with pytest.raises(urllib.error.HTTPError):  # one's key is not the other's
            urllib.request.urlopen(
                urllib.request.Request(
                    other["endpoint"],
                    headers={"Authorization": f"AWS4-HMAC-SHA256 {scope}"},
                )
            )
        listed = {one["name"]: one for one in run("local", "list")["instances"]}
        assert {name: (one["running"], one["kept"]) for name, one in listed.items()} == {
            "": (True, False),
            "other": (True, True),
        }
        assert run("local", "status", "--name", "other")["kept"] is True
        assert run("local", "stop", "--name", "other")["kept"] is True
        listed = {one["name"]: one for one in run("local", "list")["instances"]}
        assert (listed["other"]["running"], listed["other"]["kept"]) == (False, True)
        assert control.facts(base) == aws.facts
    finally:
        run("local", "reset", "--name", "other", "--yes")
    assert [one["name"] for one in run("local", "list")["instances"]] == [""]


def test_stacks_of_another_region_are_told(aws: Embedded) -> None:
    cfn = botocore.session.Session(profile=None).create_client(
        "cloudformation", region_name="eu-central-1", endpoint_url=aws.facts.endpoint,
        aws_access_key_id=aws.facts.access_key, aws_secret_access_key=aws.facts.secret_key,
    )  # fmt: skip
    cfn.create_stack(StackName="abroad", TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}')
    assert list(run("local", "status")["regions"]) == ["eu-central-1"]
    cfn.close()


def test_a_name_that_is_none_and_a_name_without_local_are_refused() -> None:
    for words, reason in (
        (["local", "start", "--name", "../up"], "name '../up' is not valid"),
        (["status", "--name", "other"], "--name is for the embedded AWS: it needs --local"),
    ):
        done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert reason in done.stderr
