"""What a VPC is made of: its addresses, subnets, interfaces and what owns them.

Field names are AWS's in short; ids are AWS's, or logical paths such as `NestedVPCStack/Vpc` before anything
stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_vpc.network_values import Address, Block


@dataclass(frozen=True)
class Vpc:
    """A VPC; `cidrs` holds its IPv4 and IPv6 blocks, the primary IPv4 one first."""

    id: str
    cidrs: tuple[Block, ...]
    region: str = ""
    account: str = ""
    dns_support: bool = True
    dns_hostnames: bool = False


@dataclass(frozen=True)
class Subnet:
    """A subnet of one zone; `cidrs` holds its IPv4 block and, where it has one, its IPv6 block."""

    id: str
    vpc: str
    zone: str
    cidrs: tuple[Block, ...]
    map_public_ip: bool = False


@dataclass(frozen=True)
class PublicAssociation:
    """A public IPv4 address that the internet gateway translates to a private one, one to one."""

    private: Address
    public: Address


@dataclass(frozen=True)
class NetworkInterface:
    """An elastic network interface.

    `addresses` holds its private IPv4 addresses, the primary one first, then its IPv6 addresses. `owner` is
    the id of the instance, database, load balancer, endpoint, NAT gateway or compute environment behind it.
    `groups` is empty for the interfaces that have none (NAT gateways, transit gateways, network load
    balancers without groups), and `filtered` tells whether no group means «refuse all» (False only for such
    interfaces).
    """

    id: str
    subnet: str
    vpc: str
    addresses: tuple[Address, ...]
    groups: tuple[str, ...] = ()
    public: tuple[PublicAssociation, ...] = ()
    source_dest_check: bool = True
    owner: str = ""
    kind: str = "interface"
    filtered: bool = True


@dataclass(frozen=True)
class Instance:
    """An EC2 instance; its interfaces are those that it owns."""

    id: str
    vpc: str
    state: str = "running"


@dataclass(frozen=True)
class Service:
    """Something else that has interfaces and answers on a port.

    `kind` is the CloudFormation type: AWS::RDS::DBInstance, AWS::Redshift::Cluster,
    AWS::RedshiftServerless::Workgroup, AWS::Batch::ComputeEnvironment, AWS::ElasticBeanstalk::Environment ...
    `instances` are those that it runs on, whose interfaces stand for it, too.
    """

    id: str
    kind: str
    vpc: str
    port: int | None = None
    state: str = "available"
    instances: tuple[str, ...] = ()


@dataclass(frozen=True)
class PrefixList:
    """A managed prefix list; AWS's own carry the service's name, such as com.amazonaws.us-east-1.s3."""

    id: str
    blocks: tuple[Block, ...]
    name: str = ""


@dataclass(frozen=True)
class Label:
    """What people call a component beside its id: Name tag, logical path in the templates, ARN."""

    name: str = ""
    logical: str = ""
    arn: str = ""


@dataclass(frozen=True)
class Unmodelled:
    """A component that exists and whose behaviour is not modelled: what meets it becomes «unknown»."""

    id: str
    kind: str
    reason: str
    vpc: str = ""
