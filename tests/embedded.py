"""An embedded AWS of the tests' own, a real process, and boto3 clients for it."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import botocore.config
import botocore.session

from aws_vpc.local import control


class Embedded:
    """A running embedded AWS, with clients for it."""

    def __init__(self, facts: control.Facts, folder: Path) -> None:
        self.facts, self.folder = facts, folder
        self._session = botocore.session.Session(profile=None)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """An unmodified client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.create_client(
                service,
                region_name=self.facts.region,
                endpoint_url=self.facts.endpoint,
                aws_access_key_id=self.facts.access_key,
                aws_secret_access_key=self.facts.secret_key,
                config=botocore.config.Config(retries={"max_attempts": 0}, read_timeout=300),
            )
        return self._clients[service]

    def close(self) -> None:
        """Close the clients' connections."""
        for client in self._clients.values():
            client.close()


@contextmanager
def embedded_aws(region: str = "us-east-1") -> Iterator[Embedded]:
    """One of its own folder, stopped at the end; in us-east-1 a bucket is made without naming the Region."""
    with tempfile.TemporaryDirectory(prefix="embedded-") as name:
        folder = Path(name) / "local"
        with mock.patch.dict(os.environ, AWS_DEFAULT_REGION=region):
            aws = Embedded(control.start(folder), folder)
        try:
            yield aws
        finally:
            aws.close()
            control.stop(folder)


@contextmanager
def boto3_client(facts: control.Facts, service: str) -> Iterator[Any]:
    """A client with what boto3 adds to botocore's, closed at the end."""
    client = boto3.client(
        service,
        facts.region,
        endpoint_url=facts.endpoint,
        aws_access_key_id=facts.access_key,
        aws_secret_access_key=facts.secret_key,
    )
    try:
        yield client
    finally:
        client.close()


def without_buckets(s3: Any) -> Any:
    """The client of S3, after every bucket that tests before have left is deleted."""
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
        s3.delete_bucket(Bucket=name)
    return s3


def alone_in_a_stack(aws: Embedded, type: str, properties: dict[str, Any]) -> str:
    """The physical id of a resource that the stack `restored` has made of it."""
    cfn = aws.client("cloudformation")
    template = {"Resources": {"Restored": {"Type": type, "Properties": properties}}}
    cfn.create_stack(StackName="restored", TemplateBody=json.dumps(template), OnFailure="DO_NOTHING")
    until(lambda: "_IN_PROGRESS" not in cfn.describe_stacks()["Stacks"][0]["StackStatus"])
    listed = cfn.describe_stack_resources(StackName="restored")["StackResources"][0]
    assert listed["ResourceStatus"] == "CREATE_COMPLETE", listed["ResourceStatusReason"]
    return str(listed["PhysicalResourceId"])


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of loopback to listen on, which nobody else is given as a free one while the block lasts.

    On Linux a port that is bound and not listened on may be bound again by who asks for SO_REUSEADDR, as
    servers do; elsewhere the port is free when the block begins.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
        if sys.platform != "linux":
            held.close()
        yield port


def until(found: Callable[[], Any], seconds: float = 300.0, told: Callable[[], str] = str) -> Any:
    """What a question answers as soon as that is true; AssertionError, with what is told, if it never is."""
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s {told()}"
        time.sleep(0.02)
