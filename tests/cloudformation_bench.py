"""A running embedded CloudFormation for the tests: real HTTP, moto behind it, a type that does as told."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from aws_vpc.local import providers
from aws_vpc.local.front import Front
from aws_vpc.local.processes import Processes
from aws_vpc.local.providers import NotUpdatable, ResourceFailed, ResourceRequest, ResourceState
from aws_vpc.local.server import bind, moto, serve
from aws_vpc.local.world import World

REGION, ACCOUNT = "eu-west-1", "123456789012"
HANDLERS = {"cloudformation": "aws_vpc.local.cloudformation"}
THING = "AWS::Bench::Thing"


class Things:
    """A provider whose resources live in memory and fail when their properties say so.

    Fail: create | update | delete (the verb that fails), Gate: wait for the gate of this name,
    Fixed: cannot change in place.
    """

    readable = False
    late: Mapping[str, Any] = {}

    def __init__(self) -> None:
        self.standing: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.requests: list[ResourceRequest] = []
        self.gates: dict[str, threading.Event] = {}
        self.busy = self.most = 0
        self.lock = threading.Lock()

    def gate(self, name: str) -> threading.Event:
        """The gate of a name; what waits for it goes on when it is set."""
        return self.gates.setdefault(name, threading.Event())

    def until_busy(self, count: int) -> None:
        """Return when so many calls are under way at once."""
        deadline = time.monotonic() + 300
        while self.busy < count:
            assert time.monotonic() < deadline, f"{self.busy} calls are under way, not {count}"
            time.sleep(0.01)

    def _begin(self, verb: str, request: ResourceRequest) -> None:
        with self.lock:
            self.calls.append((verb, request.logical_id))
            self.requests.append(request)
            self.busy += 1
            self.most = max(self.most, self.busy)
        try:
            if "Gate" in request.properties and verb != "delete":
                self.gate(request.properties["Gate"]).wait(600)
            if request.properties.get("Fail") == verb:
                raise ResourceFailed(f"{request.logical_id} was told to fail")
        finally:
            with self.lock:
                self.busy -= 1

    def create(self, request: ResourceRequest) -> ResourceState:
        self._begin("create", request)
        id = f"thing-{uuid.uuid4().hex[:8]}"
        self.standing[id] = dict(request.properties)
        return ResourceState(id, {"Arn": f"arn:thing:{id}", "Value": request.properties.get("Value", "")})

    def update(self, request: ResourceRequest) -> ResourceState:
        assert request.previous is not None
        if request.changed("Fixed"):
            raise NotUpdatable("Fixed cannot change")
        self._begin("update", request)
        self.standing[request.id] = dict(request.properties)
        return ResourceState(
            request.id, {"Arn": f"arn:thing:{request.id}", "Value": request.properties.get("Value", "")}
        )

    def delete(self, request: ResourceRequest) -> None:
        self._begin("delete", request)
        self.standing.pop(request.id, None)

    def snapshot(self, request: ResourceRequest) -> str | None:
        self.calls.append(("snapshot", request.logical_id))
        return "snapshot-1"

    def did(self, verb: str) -> list[str]:
        """The logical ids that the verb was called for, in order."""
        return [logical for done, logical in self.calls if done == verb]


class Bench:
    """Clients of a running embedded AWS, and its things."""

    def __init__(self, world: World, things: Things) -> None:
        self.world, self.things = world, things
        self.session = boto3.Session("test-key", "test-secret", region_name=REGION)
        self.cfn = self.client("cloudformation")
        self.s3 = self.client("s3")
        self.bucket = f"templates-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS."""
        config = Config(retries={"max_attempts": 0}, read_timeout=300, ignore_configured_endpoint_urls=True)
        return self.session.client(service, endpoint_url=self.world.endpoint, config=config)

    def put(self, key: str, text: str) -> str:
        """The address of a template put into the bucket."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())
        return f"https://{self.bucket}.s3.{REGION}.amazonaws.com/{key}"

    def name(self, base: str = "stack") -> str:
        """A stack name nobody else has."""
        return f"{base}-{uuid.uuid4().hex[:8]}"

    def create(self, template: str, name: str | None = None, **options: Any) -> str:
        """The id of a stack whose creation has ended."""
        made = self.cfn.create_stack(StackName=name or self.name(), TemplateBody=template, **options)
        self.settle(made["StackId"])
        return str(made["StackId"])

    def update(self, stack: str, template: str | None = None, **options: Any) -> str:
        """The status of a stack whose update has ended."""
        body = {"UsePreviousTemplate": True} if template is None else {"TemplateBody": template}
        self.cfn.update_stack(StackName=stack, **body, **options)
        return self.settle(stack)

    def delete(self, stack: str, **options: Any) -> str:
        """The status of a stack whose deletion has ended."""
        id = self.stack(stack)["StackId"]
        self.cfn.delete_stack(StackName=stack, **options)
        return self.settle(id)

    def settle(self, stack: str, seconds: float = 300) -> str:
        """The status of the stack when nothing is in progress any more."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status(stack)
            if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
                return status
            assert time.monotonic() < deadline, f"{stack} is still {status}"
            time.sleep(0.01)

    def until(self, stack: str, status: str, logical: str | None = None) -> None:
        """Return when the stack, or a resource of it, has the status."""
        deadline = time.monotonic() + 300
        while True:
            shown = (
                self.status(stack)
                if logical is None
                else self.resources(stack).get(logical, {}).get("ResourceStatus")
            )
            if shown == status:
                return
            assert time.monotonic() < deadline, f"{logical or stack} is {shown}, not {status}"
            time.sleep(0.01)

    def stack(self, name: str) -> dict[str, Any]:
        """The stack as DescribeStacks shows it."""
        return dict(self.cfn.describe_stacks(StackName=name)["Stacks"][0])

    def status(self, name: str) -> str:
        """The stack's status."""
        return str(self.stack(name)["StackStatus"])

    def outputs(self, name: str) -> dict[str, str]:
        """The stack's outputs."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.stack(name).get("Outputs", ())}

    def resources(self, name: str) -> dict[str, dict[str, Any]]:
        """The stack's resources by logical id."""
        found = self.cfn.describe_stack_resources(StackName=name)["StackResources"]
        return {one["LogicalResourceId"]: one for one in found}

    def physical(self, name: str, logical: str) -> str:
        """A resource's physical id."""
        return str(self.resources(name)[logical]["PhysicalResourceId"])

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """(logical id, status, reason) of each event, oldest first."""
        pages = self.cfn.get_paginator("describe_stack_events").paginate(StackName=name)
        found = [event for page in pages for event in page["StackEvents"]]
        keys = ("LogicalResourceId", "ResourceStatus", "ResourceStatusReason")
        return [tuple(event.get(key, "") for key in keys) for event in reversed(found)]  # type: ignore[misc]

    def statuses(self, name: str, logical: str) -> list[str]:
        """The statuses one resource went through."""
        return [status for about, status, _ in self.events(name) if about == logical]

    def reason(self, name: str, logical: str, status: str) -> str:
        """The reason of the last event of this kind."""
        return [why for about, what, why in self.events(name) if (about, what) == (logical, status)][-1]


@contextmanager
def serving(folder: Path, delay: float = 0.0) -> Iterator[Bench]:
    """A bench, up and listening."""
    things = Things()
    certificates: Any = SimpleNamespace(ca=folder / "ca.pem")
    world = World(folder, REGION, ACCOUNT, "test-key", "test-secret", Processes.direct(), certificates)
    listener = bind()
    world.delay = delay
    world.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = serve(listener, Front(world, moto(), HANDLERS))
    providers.PROVIDERS[THING] = things  # type: ignore[assignment]
    try:
        yield Bench(world, things)
    finally:
        del providers.PROVIDERS[THING]
        server.shutdown()
        server.server_close()


def running_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench as long as a module's tests run; to be made a fixture."""
    with serving(tmp_path_factory.mktemp("cloudformation")) as bench:
        yield bench


def as_new(running: Bench) -> Bench:
    """The bench without the things of the test before; to be made a fixture."""
    running.things.__init__()  # type: ignore[misc]
    return running


def thing(name: str = "A", more: str = "", **properties: Any) -> str:
    """A line of a template that declares a thing."""
    shown = ", ".join(f"{key}: {value}" for key, value in properties.items())
    return f"  {name}: {{Type: {THING}{more}, Properties: {{{shown}}}}}\n"
