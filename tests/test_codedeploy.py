"""CodeDeploy: bundles that are unpacked, started, asked how they are, and taken back when they are ill."""

from __future__ import annotations

import io
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from codedeploy_site import APPSPEC, Site
from embedded import Embedded, embedded_aws, until

from aws_vpc.local.codedeploy_appspec import unpack


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        running.client("s3").create_bucket(Bucket="bundles")
        yield running


@pytest.fixture
def site(aws: Embedded, request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(aws, re.sub(r"\W+", "-", request.node.name)[-60:])
    made.run_instance()
    yield made
    aws.client("ec2").terminate_instances(InstanceIds=[made.instance])


def test_a_deployment_starts_the_web_process_and_the_next_one_takes_its_place(site: Site) -> None:
    info = site.deploy(site.bundle("one"))
    assert info["status"] == "Succeeded", [e for e in site.events(info).values() if e["status"] == "Failed"]
    assert info["deploymentOverview"]["Succeeded"] == 1
    assert info["createTime"] <= info["startTime"] <= info["completeTime"]
    assert site.page() == "one blue 127.0.0.1"
    events = site.events(info)
    assert list(events) == [
        "ApplicationStop",
        "DownloadBundle",
        "BeforeInstall",
        "Install",
        "AfterInstall",
        "ApplicationStart",
        "ValidateService",
    ]
    assert {e["status"] for e in events.values()} == {"Succeeded"}
    assert all(e["startTime"] <= e["endTime"] for e in events.values())
    second = site.deploy(site.bundle("two"))
    assert second["previousRevision"]["s3Location"]["key"].endswith("one.zip")
    assert site.page() == "two blue 127.0.0.1"
    group = site.api.get_deployment_group(applicationName=site.name, deploymentGroupName="web")
    assert group["deploymentGroupInfo"]["lastSuccessfulDeployment"]["deploymentId"] == second["deploymentId"]


def test_a_process_that_ends_fails_at_once_and_the_previous_revision_comes_back(site: Site) -> None:
    site.deploy(site.bundle("good"))
    info = site.deploy(site.bundle("bad", extra="sys.exit('no secret here')"))
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HEALTH_CONSTRAINTS")
    failed = site.events(info)["ApplicationStart"]
    assert failed["status"] == "Failed"
    assert failed["diagnostics"]["scriptName"] == "hooks/start.sh"
    assert "Job for web.service failed" in failed["diagnostics"]["logTail"]
    back = site.rolled_back(info)
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert site.page() == "good blue 127.0.0.1"


def test_a_service_found_invalid_is_taken_back_by_a_deployment_of_its_own(site: Site) -> None:
    first = site.deploy(site.bundle("good"))
    info = site.deploy(site.bundle("ill", status=503))
    assert info["status"] == "Failed"
    events = site.events(info)
    failed = events.pop("ValidateService")
    assert {each["status"] for each in events.values()} == {"Succeeded"}
    told = failed["diagnostics"]
    assert (failed["status"], told["errorCode"], told["scriptName"]) == (
        *("Failed", "ScriptFailed"),
        "hooks/validate.sh",
    )
    assert told["message"] == (
        "Script at specified location: hooks/validate.sh run as user root failed with exit code 1"
    )
    assert told["logTail"].startswith("LifecycleEvent - ValidateService\nScript - hooks/validate.sh\n")
    assert "[stderr]curl: (22)" in told["logTail"]
    assert "[stderr]starting" in told["logTail"], "what the unit wrote, as journalctl tells it"
    back = site.rolled_back(info)
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert back["revision"] == first["revision"]
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == info["deploymentId"]
    assert site.page() == "good blue 127.0.0.1"
    # The scripts of ApplicationStop are those of the revision that was deployed last with success.
    assert site.file("opt/web/stopped").read_text().split() == [info["deploymentId"], back["deploymentId"]]


def test_a_script_that_takes_too_long_is_ended(site: Site) -> None:
    appspec = APPSPEC.replace("timeout: 300", "timeout: 2")
    scripts = {"hooks/validate.sh": "#!/bin/sh\necho waiting\nsleep 600\n", "appspec.yml": appspec}
    diagnostics = site.events(site.deploy(site.bundle("slow", **scripts)))["ValidateService"]["diagnostics"]
    assert diagnostics["errorCode"] == "ScriptTimedOut"
    assert diagnostics["message"].endswith("hooks/validate.sh failed to complete in 2 seconds")
    assert "[stdout]waiting" in diagnostics["logTail"]


def hook(name: str, *lines: str) -> dict[str, str]:
    return {f"hooks/{name}.sh": "\n".join(("#!/bin/sh", *lines, ""))}


def permitted(owner: str) -> str:
    """An appspec.yml whose files have an owner and a mode."""
    return APPSPEC + f"permissions:\n  - {{object: /opt/web, owner: {owner}, mode: 540, type: [file]}}\n"


@pytest.mark.parametrize(
    ("case", "event", "code", "words"),
    [
        ("key", "DownloadBundle", "UnknownError", "key does not exist"),
        ("outside", "DownloadBundle", "UnknownError", "leads out of the bundle"),
        ("appspec", "BeforeInstall", "UnknownError", "did not find an AppSpec file"),
        ("version", "BeforeInstall", "UnknownError", "invalid version value"),
        ("file", "Install", "UnknownError", "No such file or directory"),
        ("there", "Install", "UnknownError", "already exists at this location: /etc/web/environment"),
        ("owner", "Install", "UnknownError", "can't find user for nobody-knows"),
        ("acls", "BeforeInstall", "UnknownError", "acls of the permission for /opt/web are not modelled"),
        ("user", "AfterInstall", "ScriptFailed", "run as user nobody-knows failed with exit code 1"),
        ("hook", "ValidateService", "ScriptMissing", "hooks/validate.sh"),
        ("unit", "AfterInstall", "ScriptFailed", "exit code 1"),
        ("package", "AfterInstall", "ScriptFailed", "exit code 1"),
        ("laptop", "BeforeInstall", "ScriptFailed", "exit code 1"),
    ],
)
def test_a_bundle_that_is_wrong_fails_where_it_would_on_aws(
    site: Site, case: str, event: str, code: str, words: str
) -> None:
    after = "    - location: hooks/after.sh"
    install = "  - {source: settings, destination: /etc/web/environment}"
    pip = "/opt/web/venv/bin/python -m pip install no-such-package==1.0"
    place = {
        "key": lambda: {"bucket": "bundles", "key": "gone.zip", "bundleType": "zip"},
        "outside": lambda: site.bundle("x", **{"../../evil": "x"}),
        "appspec": lambda: site.bundle("x", leave="appspec.yml"),
        "version": lambda: site.bundle("x", **{"appspec.yml": "version: 1.0\nos: linux\n"}),
        "file": lambda: site.bundle("x", **{"appspec.yml": APPSPEC.replace("source: /", "source: /gone")}),
        "there": lambda: site.bundle(
            "x",
            **hook("before", "mkdir -p /etc/web/environment", "echo old >/etc/web/environment/settings"),
            **{"appspec.yml": APPSPEC.replace("hooks:", f"{install}\nhooks:", 1)},
        ),
        "user": lambda: site.bundle(
            "x", **{"appspec.yml": APPSPEC.replace(after, f"{after}\n      runas: nobody-knows")}
        ),
        "owner": lambda: site.bundle("x", **{"appspec.yml": permitted("nobody-knows")}),
        "acls": lambda: site.bundle(
            "x", **{"appspec.yml": permitted("web").replace("mode: 540", "acls: [x]")}
        ),
        "hook": lambda: site.bundle("x", leave="hooks/validate.sh"),
        "unit": lambda: site.bundle("x", **hook("after", "systemctl enable gone.service")),
        "package": lambda: site.bundle("x", **hook("after", "python3.13 -m venv /opt/web/venv", pip)),
        "laptop": lambda: site.bundle("x", **hook("before", 'way=/; rm -rf "${way}usr/share/nothing"')),
    }[case]()
    info = site.deploy(place)
    events = site.events(info)
    assert info["status"] == "Failed"
    assert [name for name, e in events.items() if e["status"] == "Failed"] == [event]
    assert events[event]["diagnostics"]["errorCode"] == code
    assert words in events[event]["diagnostics"]["message"]
    assert event == "ValidateService" or events["ValidateService"]["status"] == "Skipped"
    assert "rollbackInfo" not in info


def test_a_tar_bundle_is_unpacked_too(site: Site) -> None:
    place = site.bundle("tar", **{"appspec.yml": permitted("web")})
    body = site.aws.client("s3").get_object(Bucket="bundles", Key=place["key"])["Body"].read()
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as archive, tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name in archive.namelist():
            member = tarfile.TarInfo(name)
            member.size = len(archive.read(name))
            tar.addfile(member, io.BytesIO(archive.read(name)))
    site.aws.client("s3").put_object(Bucket="bundles", Key="x.tgz", Body=data.getvalue())
    info = site.deploy({"bucket": "bundles", "key": "x.tgz", "bundleType": "tgz"})
    assert info["status"] == "Succeeded", (info.get("errorInformation"), site.events(info))
    assert stat.S_IMODE(site.file("opt/web/release/hooks/stop.sh").stat().st_mode) == 0o540


@pytest.mark.parametrize("filters", [True, False])
def test_a_tar_bundle_stays_within_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filters: bool
) -> None:
    if not filters:  # as before Python 3.11.4
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    elif not hasattr(tarfile, "data_filter"):
        pytest.skip("this Python has no filters")
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(ValueError, match="outside"):
        unpack(data.getvalue(), "tar", tmp_path / "bundle")
    assert not (tmp_path / "outside").exists()


def test_the_web_process_ends_with_its_instance(site: Site) -> None:
    site.deploy(site.bundle("short"))
    assert site.listens()
    site.aws.client("ec2").terminate_instances(InstanceIds=[site.instance])
    until(lambda: not site.listens())
    until(lambda: not site.file("opt").exists())


def test_without_instances_a_deployment_fails(aws: Embedded) -> None:
    site = Site(aws, "nobody")
    info = site.deploy(site.bundle("one"))
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "NO_INSTANCES")


def test_a_deployment_can_be_stopped_and_only_one_runs_at_a_time(site: Site) -> None:
    place = site.bundle("slow", **hook("before", "until test -f /opt/go; do sleep 0.05; done"))
    revision = {"revisionType": "S3", "s3Location": place}
    names = {"applicationName": site.name, "deploymentGroupName": "web"}
    known = site.api.create_deployment(**names, revision=revision)["deploymentId"]
    with pytest.raises(ClientError, match="DeploymentLimitExceededException") as caught:
        site.api.create_deployment(**names, revision=revision)
    assert known in str(caught.value)
    until(lambda: site.file("opt").is_dir())
    assert site.api.stop_deployment(deploymentId=known)["status"] == "Pending"
    site.file("opt/go").touch()  # it ends with the script that runs
    assert site.ended(known)["status"] == "Stopped"
    with pytest.raises(site.api.exceptions.DeploymentAlreadyCompletedException):
        site.api.stop_deployment(deploymentId=known)
    listed = site.api.list_deployments(**names, includeOnlyStatuses=["Stopped"])["deployments"]
    assert listed == [known]


def test_applications_groups_and_configurations_come_change_and_go(aws: Embedded) -> None:
    api = aws.client("codedeploy")
    api.create_application(applicationName="a", tags=[{"Key": "k", "Value": "v"}])
    arn = "arn:aws:codedeploy:us-east-1:123456789012:application:a"
    assert api.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    with pytest.raises(api.exceptions.ApplicationAlreadyExistsException):
        api.create_application(applicationName="a")
    role = "arn:aws:iam::123456789012:role/r"
    api.create_deployment_group(applicationName="a", deploymentGroupName="g", serviceRoleArn=role)
    minimum = {"type": "FLEET_PERCENT", "value": 75}
    api.create_deployment_config(deploymentConfigName="most", minimumHealthyHosts=minimum)
    api.update_deployment_group(
        applicationName="a",
        currentDeploymentGroupName="g",
        newDeploymentGroupName="h",
        deploymentConfigName="most",
    )
    (group,) = api.batch_get_deployment_groups(applicationName="a", deploymentGroupNames=["h"])[
        "deploymentGroupsInfo"
    ]
    assert (group["deploymentConfigName"], group["serviceRoleArn"]) == ("most", role)
    with pytest.raises(api.exceptions.DeploymentConfigInUseException):
        api.delete_deployment_config(deploymentConfigName="most")
    assert api.list_deployment_groups(applicationName="a")["deploymentGroups"] == ["h"]
    api.delete_deployment_group(applicationName="a", deploymentGroupName="h")
    api.delete_deployment_config(deploymentConfigName="most")
    assert "CodeDeployDefault.AllAtOnce" in api.list_deployment_configs()["deploymentConfigsList"]
    api.update_application(applicationName="a", newApplicationName="b")
    assert api.get_application(applicationName="b")["application"]["computePlatform"] == "Server"
    api.delete_application(applicationName="b")
    with pytest.raises(api.exceptions.ApplicationDoesNotExistException):
        api.get_application(applicationName="b")


def test_what_is_not_modelled_is_said(aws: Embedded) -> None:
    with pytest.raises(ClientError, match="RegisterOnPremisesInstance is not modelled"):
        aws.client("codedeploy").register_on_premises_instance(instanceName="i")
