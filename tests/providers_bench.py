"""A moto server and the way in which the provider tests ask for resources on it."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from unittest import mock

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws

from aws_vpc.local.providers import ResourceRequest, ResourceState, call, provider, read_only
from aws_vpc.local.providers.call import absent

REGION, ACCOUNT = "eu-central-1", "123456789012"
IMAGE = "ami-0123456789abcdef0"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/bench/7d0a5f10-0000-11ee-be56-0242ac120002"
SYSTEM_TAGS = {"aws:cloudformation:stack-name": "bench", "aws:cloudformation:stack-id": STACK}
CONFIG = Config(region_name=REGION, retries={"max_attempts": 1}, s3={"addressing_style": "path"})

Properties = dict[str, Any]


@dataclass
class Made:
    """A resource that a provider has made, and how to go on with it."""

    bench: "Bench"
    request: ResourceRequest
    state: ResourceState

    @property
    def id(self) -> str:
        return self.state.physical_id

    @property
    def ref(self) -> str:
        return str(self.state.attributes.get("Ref", self.id))

    def __getitem__(self, attribute: str) -> Any:
        return self.state.attributes[attribute]

    def later(self, properties: Properties, tags: Mapping[str, str] | None = None) -> ResourceRequest:
        """The request that names this resource and its properties before."""
        return replace(
            self.request,
            properties=properties,
            previous=self.request.properties,
            physical_id=self.id,
            attributes=self.state.attributes,
            tags=dict(self.request.tags if tags is None else tags),
        )

    def update(self, changes: Properties, tags: Mapping[str, str] | None = None) -> None:
        """The resource is changed in place: a property with the value None is taken away."""
        merged = {
            key: value for key, value in (self.request.properties | changes).items() if value is not None
        }
        request = self.later(merged, tags)
        self.state = provider(request.type).update(request)
        self.request = request

    def delete(self) -> None:
        provider(self.request.type).delete(replace(self.later(self.request.properties), previous=None))


@dataclass
class Bench:
    """Makes resources at an endpoint, and has a few that others need."""

    endpoint: str
    region: str = REGION
    made: list[Made] = field(default_factory=list)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=CONFIG,
            )
        return self.clients[service]

    def __getattr__(self, service: str) -> Any:
        return self.client(service.replace("_", "-"))

    def make(self, type: str, tags: Mapping[str, str] | None = None, **properties: Any) -> Made:
        """The resource that the provider of the type makes."""
        request = ResourceRequest(
            type=type,
            logical_id="Thing",
            stack_name="bench",
            stack_id=STACK,
            region=self.region,
            account=ACCOUNT,
            properties=properties,
            previous=None,
            physical_id=None,
            tags={**(tags or {}), **SYSTEM_TAGS, "aws:cloudformation:logical-id": "Thing"},
            client=self.client,
        )
        made = Made(self, request, provider(type).create(request))
        self.made.append(made)
        return made

    def fresh(self) -> str:
        """A name that nothing has yet."""
        return f"bench-{uuid.uuid4().hex[:12]}"

    @cached_property
    def vpc(self) -> str:
        return self.make("AWS::EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames="true").ref

    @cached_property
    def far_vpc(self) -> str:
        return self.make("AWS::EC2::VPC", CidrBlock="10.1.0.0/16").ref

    @cached_property
    def subnets(self) -> list[str]:
        return [
            self.make(
                "AWS::EC2::Subnet",
                VpcId=self.vpc,
                CidrBlock=f"10.0.{i}.0/24",
                AvailabilityZone=f"{self.region}{zone}",
            ).ref
            for i, zone in enumerate("ab")
        ]

    @cached_property
    def far_subnets(self) -> list[str]:
        return [
            self.make("AWS::EC2::Subnet", VpcId=self.far_vpc, CidrBlock=f"10.1.{i}.0/24").ref
            for i in range(2)
        ]

    @cached_property
    def group(self) -> str:
        return self.make("AWS::EC2::SecurityGroup", GroupDescription="one", VpcId=self.vpc).ref

    @cached_property
    def other_group(self) -> str:
        return self.make("AWS::EC2::SecurityGroup", GroupDescription="other", VpcId=self.vpc).ref

    @cached_property
    def table(self) -> str:
        return self.make("AWS::EC2::RouteTable", VpcId=self.vpc).ref

    @cached_property
    def gateway(self) -> str:
        made = self.make("AWS::EC2::InternetGateway").ref
        self.make("AWS::EC2::VPCGatewayAttachment", VpcId=self.vpc, InternetGatewayId=made)
        return made

    @cached_property
    def instance(self) -> str:
        return self.make("AWS::EC2::Instance", ImageId=IMAGE, SubnetId=self.subnets[0]).ref

    @cached_property
    def transit(self) -> str:
        return self.make("AWS::EC2::TransitGateway").ref

    @cached_property
    def attachment(self) -> str:
        return self.make(
            "AWS::EC2::TransitGatewayAttachment",
            TransitGatewayId=self.transit,
            VpcId=self.vpc,
            SubnetIds=self.subnets[:1],
        ).ref

    @cached_property
    def transit_table(self) -> str:
        return self.make("AWS::EC2::TransitGatewayRouteTable", TransitGatewayId=self.transit).ref


@dataclass(frozen=True)
class Case:
    """What one type is asked to do: `look` finds the resource, `shows` holds of what it finds."""

    type: str
    properties: Callable[[Bench], Properties]
    look: Callable[[Bench, Made], Any]
    shows: Callable[[Bench, Any], Any] = lambda bench, found: True
    change: Callable[[Bench], Properties] | None = None
    changed: Callable[[Bench, Any], Any] = lambda bench, found: True
    lacks: str = ""  # documented attributes that the service behind does not have
    label: str = ""
    stays: str = ""  # why the service behind cannot show that the deletion has taken place

    def __str__(self) -> str:
        return self.type.removeprefix("AWS::") + (f"-{self.label}" if self.label else "")


def ec2(operation: str, key: str, ids: str):  # type: ignore[no-untyped-def]
    """A look that finds the resource by its id in the answer of a describe operation."""

    def look(bench: Bench, made: Made) -> Any:
        found = getattr(bench.ec2, operation)(**{ids: [made.ref]})[key]
        states = [entry.get("State", entry.get("Status")) for entry in found]
        words = [state.get("Code") if isinstance(state, dict) else state for state in states]
        return found[0] if found and words[0] not in ("deleted", "deleting") else None

    return look


def serving() -> Iterator[Bench]:
    """A bench at a moto server of its own; everything made on it is gone with the server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Bench(f"http://{host}:{port}")
    finally:
        server.stop()


class EmbeddedBench(Bench):
    """A bench at a whole embedded AWS."""

    def __init__(self, aws: Embedded) -> None:
        super().__init__(aws.facts.endpoint, aws.facts.region)
        self.aws = aws

    def client(self, service: str) -> Any:
        return self.aws.client(service)


def serving_embedded() -> Iterator[Bench]:
    """A bench at an embedded AWS of its own."""
    with embedded_aws() as aws:
        yield EmbeddedBench(aws)


def found(case: Case, bench: Bench, made: Made) -> Any:
    """What the case's look finds; None where the service says that there is nothing."""
    try:
        return case.look(bench, made) or None
    except ClientError as error:
        assert absent(error), error
        return None


def prove(bench: Bench, case: Case) -> None:
    """The claim of each case: created, seen, attributes complete, changed in place, deleted twice."""
    with mock.patch.object(call, "DEADLINE", 300.0):
        _prove(bench, case)


def _prove(bench: Bench, case: Case) -> None:
    made = bench.make(case.type, {"Owner": "first"}, **case.properties(bench))
    there = found(case, bench, made)
    assert there and case.shows(bench, there), f"after create: {there}"
    documented = {path.replace("/", ".") for path in read_only(case.type) if "/" not in path}
    assert not documented - made.state.attributes.keys() - set(case.lacks.split()), made.state.attributes
    assert all(isinstance(value, str | bool | list | dict) for value in made.state.attributes.values())
    if case.change:
        made.update(case.change(bench), {"Owner": "second"})
        there = found(case, bench, made)
        assert there and case.changed(bench, there), f"after update: {there}"
    made.delete()
    assert case.stays or found(case, bench, made) is None
    made.delete()
