"""One environment of Elastic Beanstalk: an instance on record, and the bundle's web process that really runs.

On AWS a proxy on the instance stands before the process of the Procfile. Here the process itself
listens, on a free port of this machine that stays the environment's for its lifetime. The scripts of
.ebextensions and .platform prepare an instance of Amazon Linux and are not run.
"""

from __future__ import annotations

import http.client
import shlex
import shutil
import tarfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import LocalError
from aws_vpc.local import elasticbeanstalk_options as options
from aws_vpc.local.codedeploy_appspec import unpack
from aws_vpc.local.databases import ADDRESS, Background
from aws_vpc.local.postgres import free_port
from aws_vpc.local.processes import Process
from aws_vpc.local.world import World

HEALTHY_SECONDS = 60.0
STOP_SECONDS = 5.0
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
LAUNCH, VPC, PYTHON = (
    "aws:autoscaling:launchconfiguration",
    "aws:ec2:vpc",
    "aws:elasticbeanstalk:container:python",
)
PROCESS, APPLICATION = "aws:elasticbeanstalk:environment:process:default", "aws:elasticbeanstalk:application"
SAMPLE = "<!doctype html><title>Sample application</title><h1>Congratulations</h1>\n"
Bundle = Mapping[str, str]


class Environment(Background):
    """An environment: what the API says of it, its options, its instance and its process."""

    def __init__(
        self, world: World, region: str, record: dict[str, Any], settings: list[options.Option]
    ) -> None:
        super().__init__(f"beanstalk-{record['EnvironmentName']}")
        self.world, self.region, self.record, self.options = world, region, record, settings
        self.port, self.instance, self.health = free_port(), "", "Grey"
        self.causes: list[str] = []
        self.log = world.logs / f"web-{record['EnvironmentName']}.log"
        self._process: Process | None = None
        self._releases = 0

    @property
    def folder(self) -> Path:
        """Where the bundles of this environment are unpacked."""
        return self.world.run / "beanstalk" / str(self.record["EnvironmentId"])

    @property
    def host(self) -> str:
        """Where its page is found, without a scheme."""
        return f"{ADDRESS}:{self.port}"

    def launch(self) -> None:
        """Start the instance of the environment, as far as it is on record."""
        groups = options.value(self.options, LAUNCH, "SecurityGroups").replace(" ", "")
        subnet = options.value(self.options, VPC, "Subnets").replace(" ", "").partition(",")[0]
        profile = options.value(self.options, LAUNCH, "IamInstanceProfile")
        image = options.value(self.options, LAUNCH, "ImageId") or self._image()
        named = {key: str(self.record[key]) for key in ("EnvironmentName", "EnvironmentId")}
        tags = {
            "Name": named["EnvironmentName"],
            "elasticbeanstalk:environment-name": named["EnvironmentName"],
            "elasticbeanstalk:environment-id": named["EnvironmentId"],
        }
        made = self.world.client("ec2", self.region).run_instances(
            MinCount=1,
            MaxCount=1,
            ImageId=image,
            InstanceType=self._instance_type(),
            TagSpecifications=[{"ResourceType": "instance", "Tags": tag_list(self.record["Tags"] | tags)}],
            **({"SecurityGroupIds": groups.split(",")} if groups else {}),
            **({"IamInstanceProfile": instance_profile(profile)} if profile else {}),
            **({"NetworkInterfaces": [interface(subnet)]} if subnet else {}),
        )
        self.instance = made["Instances"][0]["InstanceId"]

    def _image(self) -> str:
        answer = self.world.client("ssm", self.region).get_parameter(Name=IMAGE)
        return str(answer["Parameter"]["Value"])

    def _instance_type(self) -> str:
        listed = options.value(self.options, "aws:ec2:instances", "InstanceTypes").replace(" ", "")
        return listed.partition(",")[0] or options.value(self.options, LAUNCH, "InstanceType") or "t3.micro"

    def deploy(self, bundle: Bundle | None) -> None:
        """Run the bundle, the sample application without one; LocalError says why it does not run."""
        self._releases += 1
        release = self.folder / str(self._releases)
        self.health, self.causes = "Grey", []
        if bundle:
            self._download(bundle, release)
        else:
            release.mkdir(parents=True)
            (release / "index.html").write_text(SAMPLE)
            (release / "Procfile").write_text(f"web: python -m http.server {self.port} --bind 127.0.0.1\n")
        self._start(release)
        self._await_health()
        for older in self.folder.iterdir():
            if older != release:
                shutil.rmtree(older, ignore_errors=True)

    def come_back(self) -> None:
        """Run again what ran last; the health says whether it does."""

        def again() -> None:
            self._start(self.folder / str(self._releases))
            self._await_health()

        self.attempt(again)

    def _download(self, bundle: Bundle, release: Path) -> None:
        where = f"s3://{bundle['S3Bucket']}/{bundle['S3Key']}"
        try:
            client = self.world.client("s3", self.region)
            body = client.get_object(Bucket=bundle["S3Bucket"], Key=bundle["S3Key"])["Body"].read()
            unpack(body, "zip", release)
        except (ClientError, OSError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise LocalError(f"the source bundle {where} cannot be unpacked: {error}") from None

    def _start(self, release: Path) -> None:
        self.end()
        given = options.values(self.options, options.PROPERTIES) | self._secrets()
        environment = {
            **self.world.child_environment(),
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            **given,
            "PORT": str(self.port),
            "BIND_ADDRESS": "127.0.0.1",
        }
        command = self._command(release)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._process = self.world.processes.spawn(
                self.name, command, env=environment, cwd=release, log=self.log
            )
        except (OSError, RuntimeError) as error:
            raise LocalError(f"{command[0]} cannot be started: {error}") from None

    def _command(self, release: Path) -> list[str]:
        """The Procfile's web command, or what the Python platform runs without one."""
        procfile = release / "Procfile"
        for line in procfile.read_text().splitlines() if procfile.exists() else ():
            kind, _, command = line.partition(":")
            if kind.strip() == "web" and command.strip():
                return shlex.split(command)
        path = options.value(self.options, PYTHON, "WSGIPath", "application")
        return ["gunicorn", "--bind", f"127.0.0.1:{self.port}", "--threads", "15", path]

    def _secrets(self) -> dict[str, str]:
        """The environment variables that the instance reads from Secrets Manager or Parameter Store."""
        found = {}
        for name, arn in options.values(self.options, options.SECRETS).items():
            try:
                found[name] = self._secret(arn)
            except ClientError as error:
                raise LocalError(f"{name} cannot be read from {arn}: {error}") from None
        return found

    def _secret(self, arn: str) -> str:
        if arn.split(":")[2] == "ssm":
            path = arn.partition(":parameter")[2]
            answer = self.world.client("ssm", self.region).get_parameter(Name=path, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        client = self.world.client("secretsmanager", self.region)
        return str(client.get_secret_value(SecretId=arn)["SecretString"])

    def _await_health(self) -> None:
        """Wait until the page of the health check answers; LocalError when it does not in time."""
        path = options.value(self.options, PROCESS, "HealthCheckPath")
        path = path or options.value(self.options, APPLICATION, "Application Healthcheck URL") or "/"
        deadline = time.monotonic() + HEALTHY_SECONDS
        while time.monotonic() < deadline:
            code = self._process.poll() if self._process else 1
            if code is not None:
                raise LocalError(f"the web process ended with status {code}: {self._last_line()}")
            seen = answered(self.port, path)
            if seen.isdigit() and int(seen) < 400:
                self.health = "Green"
                return
            time.sleep(0.05)
        raise LocalError(f"{path} did not answer in {HEALTHY_SECONDS:.0f} s: {seen}")

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else "nothing in its log"

    def attempt(self, work: Callable[[], None]) -> str:
        """Do the work; why it failed, or nothing."""
        try:
            work()
        except (LocalError, ClientError) as error:
            self.health, self.causes = "Red", [str(error)]
            return str(error)
        return ""

    def end(self) -> None:
        """End the web process."""
        process, self._process = self._process, None
        if process:
            process.terminate(STOP_SECONDS)

    def remove(self) -> None:
        """End the process and the instance, and delete what was unpacked."""
        self.end()
        if self.instance:
            self.world.client("ec2", self.region).terminate_instances(InstanceIds=[self.instance])
            self.instance = ""
        shutil.rmtree(self.folder, ignore_errors=True)


def answered(port: int, path: str) -> str:
    """The status with which the path is answered on this machine, or why it is not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The tags as EC2 takes them; those of CloudFormation are on the environment only."""
    return [{"Key": key, "Value": value} for key, value in tags.items() if not key.startswith("aws:")]


def instance_profile(named: str) -> dict[str, str]:
    """The instance profile as run-instances takes it."""
    return {"Arn": named} if named.startswith("arn:") else {"Name": named}


def interface(subnet: str) -> dict[str, Any]:
    """The network interface in the subnet, which ends with the instance."""
    return {"DeviceIndex": 0, "SubnetId": subnet, "DeleteOnTermination": True}
