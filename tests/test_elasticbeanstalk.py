"""Elastic Beanstalk: environments that run their bundle, change, fail, and are taken down."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws, until

SERVER = """\
import http.server, os
{extra}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"{version} {{os.environ.get('COLOUR')}} {{os.environ.get('TOKEN')}}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass
http.server.HTTPServer((os.environ["BIND_ADDRESS"], int(os.environ["PORT"])), Handler).serve_forever()
"""
# What a server begins with that is not to be there before a file is.
UNTIL = "import pathlib, time\nwhile not pathlib.Path('{gate}').exists(): time.sleep(0.02)"
PROPERTIES = "aws:elasticbeanstalk:application:environment"


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        running.client("s3").create_bucket(Bucket="bundles")
        yield running


@pytest.fixture(scope="module")
def platform(aws: Embedded) -> str:
    wanted = [
        {"Type": "PlatformBranchName", "Operator": "begins_with", "Values": ["Python 3.13"]},
        {"Type": "PlatformLifecycleState", "Operator": "=", "Values": ["Recommended"]},
    ]
    listed = aws.client("elasticbeanstalk").list_platform_versions(Filters=wanted)["PlatformSummaryList"]
    return str(listed[0]["PlatformArn"])


def option(namespace: str, name: str, value: str) -> dict[str, str]:
    return {"Namespace": namespace, "OptionName": name, "Value": value}


class Site:
    """An application with versions and one environment."""

    def __init__(self, aws: Embedded, name: str, platform: str) -> None:
        self.aws, self.name, self.platform = aws, name, platform
        self.api = aws.client("elasticbeanstalk")
        self.api.create_application(ApplicationName=name)

    def version(self, label: str, extra: str = "", server: str = SERVER) -> str:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("Procfile", "web: python serve.py\n")
            archive.writestr("serve.py", server.format(version=label, extra=extra))
        key = f"{self.name}/{label}.zip"
        self.aws.client("s3").put_object(Bucket="bundles", Key=key, Body=data.getvalue())
        bundle = {"S3Bucket": "bundles", "S3Key": key}
        self.api.create_application_version(
            ApplicationName=self.name, VersionLabel=label, SourceBundle=bundle
        )
        return label

    def create(self, label: str, *options: dict[str, str], **more: Any) -> dict[str, Any]:
        self.api.create_environment(
            ApplicationName=self.name,
            EnvironmentName=self.name,
            PlatformArn=self.platform,
            VersionLabel=label,
            OptionSettings=list(options),
            **more,
        )
        return self.settled()

    def found(self) -> dict[str, Any]:
        return dict(self.api.describe_environments(EnvironmentNames=[self.name])["Environments"][-1])

    def settled(self) -> dict[str, Any]:
        busy = ("Launching", "Updating", "Terminating")
        return dict(until(lambda: found if (found := self.found())["Status"] not in busy else None))

    def page(self) -> str:
        with urllib.request.urlopen(f"http://{self.found()['EndpointURL']}/") as answer:
            return str(answer.read().decode())

    def said(self) -> list[str]:
        events = self.api.describe_events(EnvironmentName=self.name)["Events"]
        return [event["Message"] for event in reversed(events)]


def test_environment_runs_its_bundle_and_is_taken_down(aws: Embedded, platform: str) -> None:
    site = Site(aws, "site", platform)
    tags = [{"Key": "Owner", "Value": "me"}]
    found = site.create(site.version("one"), option(PROPERTIES, "COLOUR", "blue"), Tags=tags)
    assert (found["Status"], found["Health"], found["HealthStatus"]) == ("Ready", "Green", "Ok")
    assert found["EndpointURL"] == found["CNAME"] and found["VersionLabel"] == "one"
    assert site.page() == "one blue None"
    resources = site.api.describe_environment_resources(EnvironmentName="site")["EnvironmentResources"]
    instances = aws.client("ec2").describe_instances(InstanceIds=[resources["Instances"][0]["Id"]])
    instance = instances["Reservations"][0]["Instances"][0]
    assert {"Key": "elasticbeanstalk:environment-name", "Value": "site"} in instance["Tags"]
    assert {"Key": "Owner", "Value": "me"} in instance["Tags"]

    with pytest.raises(ClientError, match="currently deployed"):
        site.api.delete_application_version(ApplicationName="site", VersionLabel="one")
    with pytest.raises(ClientError, match="running environment"):
        site.api.delete_application(ApplicationName="site")
    site.api.terminate_environment(EnvironmentName="site")
    assert site.settled()["Status"] == "Terminated"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{found['EndpointURL']}/")
    again = aws.client("ec2").describe_instances(InstanceIds=[instance["InstanceId"]])
    assert again["Reservations"][0]["Instances"][0]["State"]["Name"] == "terminated"
    assert site.said()[0] == "createEnvironment is starting."
    assert "Successfully launched environment: site" in site.said()
    assert site.said()[-1] == "terminateEnvironment completed successfully."
    site.api.delete_application(ApplicationName="site")
    assert site.api.describe_applications(ApplicationNames=["site"])["Applications"] == []


def test_update_brings_version_options_and_secrets_to_the_same_address(
    aws: Embedded, platform: str, tmp_path: Path
) -> None:
    site = Site(aws, "changing", platform)
    before, gate = site.create(site.version("one"), option(PROPERTIES, "COLOUR", "blue")), tmp_path / "gate"
    secret = aws.client("secretsmanager").create_secret(Name="token", SecretString="hidden")["ARN"]
    site.api.update_environment(
        EnvironmentName="changing",
        VersionLabel=site.version("two", UNTIL.format(gate=gate)),
        OptionSettings=[option(f"{PROPERTIES}secrets", "TOKEN", secret)],
        OptionsToRemove=[{"Namespace": PROPERTIES, "OptionName": "COLOUR"}],
    )
    with pytest.raises(ClientError, match="Must be Ready"):
        site.api.update_environment(EnvironmentName="changing", Description="too soon")
    gate.touch()
    after = site.settled()
    assert after["EndpointURL"] == before["EndpointURL"] and after["VersionLabel"] == "two"
    assert site.page() == "two None hidden"
    shown = site.api.describe_configuration_settings(ApplicationName="changing", EnvironmentName="changing")
    names = [each["OptionName"] for each in shown["ConfigurationSettings"][0]["OptionSettings"]]
    assert names == ["TOKEN"]


def test_bundle_that_ends_makes_the_environment_red_and_says_why(aws: Embedded, platform: str) -> None:
    site = Site(aws, "ailing", platform)
    found = site.create(site.version("bad", "raise SystemExit('no database')"))
    assert (found["Status"], found["Health"], found["HealthStatus"]) == ("Ready", "Red", "Severe")
    assert any("no database" in message for message in site.said())
    health = site.api.describe_environment_health(EnvironmentName="ailing", AttributeNames=["All"])
    assert health["Color"] == "Red" and "no database" in health["Causes"][0]
    site.api.update_environment(EnvironmentName="ailing", VersionLabel=site.version("good"))
    assert site.settled()["Health"] == "Green"


def test_sample_application_runs_without_a_version(aws: Embedded, platform: str) -> None:
    api = aws.client("elasticbeanstalk")
    api.create_application(ApplicationName="sample")
    named = {"ApplicationName": "sample", "EnvironmentName": "sample"}
    api.create_environment(**named, PlatformArn=platform)

    def green() -> Any:
        found = api.describe_environments(EnvironmentNames=["sample"])["Environments"][0]
        return found if found["Health"] == "Green" else None

    with urllib.request.urlopen(f"http://{until(green)['EndpointURL']}/") as answer:
        assert "Congratulations" in answer.read().decode()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"PlatformArn": "arn:aws:elasticbeanstalk:us-east-1::platform/Cobol/1.0.0"}, "No Platform named"),
        ({"VersionLabel": "nothing"}, "No Application Version named 'nothing' found."),
        ({"EnvironmentName": "a_b_c"}, "failed to satisfy constraint"),
        ({"OptionSettings": [option("aws:no:such", "A", "b")]}, "Unknown configuration setting"),
        ({"ApplicationName": "nobody"}, "No Application named 'nobody' found."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_elastic_beanstalk_refuses_is_refused(
    aws: Embedded, platform: str, wrong: dict[str, Any], reason: str
) -> None:
    api = aws.client("elasticbeanstalk")
    if not api.describe_applications(ApplicationNames=["strict"])["Applications"]:
        api.create_application(ApplicationName="strict")
    given = {"ApplicationName": "strict", "EnvironmentName": "strict", "PlatformArn": platform, **wrong}
    with pytest.raises(ClientError, match=reason):
        api.create_environment(**given)


def test_bundle_that_is_not_there_makes_no_version(aws: Embedded) -> None:
    api = aws.client("elasticbeanstalk")
    api.create_application(ApplicationName="empty")
    bundle = {"S3Bucket": "bundles", "S3Key": "missing.zip"}
    with pytest.raises(ClientError, match="Unable to download from S3 location"):
        api.create_application_version(ApplicationName="empty", VersionLabel="one", SourceBundle=bundle)
