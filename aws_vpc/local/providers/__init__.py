"""Resource providers: how each CloudFormation type is created, updated and deleted through boto3.

    provider("AWS::EC2::VPC").create(ResourceRequest(...)) -> ResourceState

One module per family of services; PROVIDERS is their sum. What a type replaces on change and what
Fn::GetAtt may ask of it comes from the public provider schemas (schema.py).
"""

from dataclasses import replace

from aws_vpc.local.providers import (
    balancing,
    batch,
    beanstalk,
    builds,
    compute,
    connections,
    containers,
    databases,
    deploy,
    events,
    iam,
    insights,
    instance,
    messaging,
    network,
    operations,
    schedules,
    secrets,
    security,
    serverless,
    storage,
    warehouse,
)
from aws_vpc.local.providers.reading import READERS, read
from aws_vpc.local.providers.resource import (
    NotUpdatable,
    Provider,
    ResourceFailed,
    ResourceRequest,
    ResourceState,
    name,
)
from aws_vpc.local.providers.schema import conditional_create_only, create_only, read_only, schema

FAMILIES = (
    network,
    security,
    serverless,
    connections,
    compute,
    instance,
    iam,
    insights,
    secrets,
    databases,
    warehouse,
    batch,
    beanstalk,
    builds,
    events,
    storage,
    containers,
    messaging,
    operations,
    deploy,
    balancing,
    schedules,
)
PROVIDERS: dict[str, Provider] = {
    entry.type: replace(entry, describe=READERS.get(entry.type, entry.describe))
    for family in FAMILIES
    for entry in family.PROVIDERS
}
IGNORED: dict[str, dict[str, str]] = {type: dict(entry.ignored) for type, entry in PROVIDERS.items()}


def provider(type: str) -> Provider:
    """The provider of the type; KeyError when the embedded AWS does not know it."""
    return PROVIDERS[type]


__all__ = [
    "IGNORED",
    "PROVIDERS",
    "NotUpdatable",
    "Provider",
    "ResourceFailed",
    "ResourceRequest",
    "ResourceState",
    "conditional_create_only",
    "create_only",
    "name",
    "provider",
    "read",
    "read_only",
    "schema",
]
