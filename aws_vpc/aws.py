"""Sessions and clients: the only place that makes boto3 clients.

In: a profile and a Region, or what the environment says. Out: clients that retry as AWS recommends.
"""

import math
import os
import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ProfileNotFound

from aws_vpc.errors import Error, UsageError

CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 8},
    connect_timeout=10,
    read_timeout=60,
)
# Throttling passes: it is waited out for so long, however many attempts that takes.
PATIENCE_SECONDS = 180
LONGEST_PAUSE_SECONDS = 5
THROTTLED = frozenset(
    ["Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestLimitExceeded",
     "TooManyRequestsException", "RequestThrottledException", "SlowDown", "PriorRequestNotComplete"]
)  # fmt: skip
# S3 signs its own way; asking for s3v4 lets a presigned URL tell where an object is, in any partition.
S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4"))


@dataclass(frozen=True)
class Aws:
    """One account in one Region, and its clients, each made once."""

    session: Any
    region: str
    clients: dict[str, Any] = field(default_factory=dict)
    until: float = math.inf  # on the monotonic clock: nothing is waited out any longer

    def client(self, service: str) -> Any:
        """The client of a service."""
        if service not in self.clients:
            config = S3_CONFIG if service == "s3" else CONFIG
            client = made(self.session, service, self.region, config)
            # Asked before botocore's own rule, which gives up after a number of attempts.
            client.meta.events.register_first("needs-retry.*.*", partial(pause, self.until))
            self.clients[service] = client
        return self.clients[service]

    def account(self) -> str:
        """The account that the credentials belong to."""
        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except ClientError as error:
            why = error.response["Error"]
            text = f"AWS does not accept the credentials ({why['Code']}): {why['Message']}"
            raise Error(text) from error


def made(session: Any, service: str, region: str, config: Config) -> Any:
    """A new client; UsageError where what the environment says of endpoints is no address."""
    try:
        return session.client(service, region_name=region, config=config)
    except ValueError as error:
        text = f"{error}; give http://HOST:PORT in AWS_ENDPOINT_URL or the AWS configuration, or unset it"
        raise UsageError(text) from error


def pause(until: float, response: Any, attempts: int, request_dict: dict[str, Any], **_: Any) -> float | None:
    """The seconds to wait before a throttled request is sent again; None leaves it to botocore."""
    code = response[1].get("Error", {}).get("Code") if response is not None else None
    began = request_dict.setdefault("context", {}).setdefault("first_sent", time.monotonic())
    if code not in THROTTLED or time.monotonic() > min(until, began + PATIENCE_SECONDS):
        return None
    return random.uniform(0.5, 1) * min(LONGEST_PAUSE_SECONDS, 0.2 * 2.0**attempts)


def connect(region: str | None = None, profile: str | None = None, seconds: float = math.inf) -> Aws:
    """The account and Region that options, environment and configuration name; `seconds` is the patience."""
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except ProfileNotFound:
        named = profile or os.environ.get("AWS_PROFILE", "")
        raise UsageError(f"profile {named!r} is not in the AWS configuration; run `aws configure`") from None
    name = session.region_name
    if not name:
        raise UsageError("no Region: give --region, or set AWS_DEFAULT_REGION, or use --local")
    if not known_region(session, name):
        raise UsageError(f"Region {name!r} does not exist; `aws ec2 describe-regions` lists them")
    if session.get_credentials() is None:
        raise Error("no AWS credentials found; run `aws configure`, name a --profile, or use --local")
    return Aws(session, name, until=time.monotonic() + seconds)


def known_region(session: Any, name: str) -> bool:
    """True when a Region of that name is in one of AWS's partitions."""
    return any(
        name in session.get_available_regions("cloudformation", partition_name=partition)
        for partition in session.get_available_partitions()
    )
