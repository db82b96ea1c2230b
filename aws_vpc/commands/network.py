"""What stands, as its nested stacks tell it, and the network settings that CloudFormation cannot make."""

from collections.abc import Mapping

from aws_vpc import deploy, network_settings, vpc_settings
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack

Outputs = Mapping[str, Mapping[str, str]]
# The nested stacks whose outputs a command reads.
READ = (
    "NestedVPCStack", "NestedEC2Stack", "NestedRDSStack", "NestedRedshiftStack", "NestedBatchStack",
    "NestedElasticBeanstalkStack", "NestedInterconnectStack", "NestedEndpointsStack",
)  # fmt: skip
NO_ENDPOINT = (
    "InterfaceEndpoint=false gives up one promise: requests for the databases' passwords leave the VPC by the"
    " NAT gateway, as TLS over AWS's public addresses; InterfaceEndpoint=true keeps them inside"
)


def outputs(session: Session, found: Stack) -> Outputs:
    """The outputs of the nested stacks that commands read, by logical id."""
    listed = deploy.children(session.cfn, found.id)
    stacks = {name: deploy.describe(session.cfn, listed[name]) for name in READ if name in listed}
    return {name: one.outputs for name, one in stacks.items() if one}


def settle(session: Session, found: Stack, nested: Outputs) -> list[str]:
    """A sentence for each network setting that was made now, or that could not be; all have been told."""
    own = network_settings.own(found.name, nested)
    if not own.vpcs:
        return []
    ec2 = session.aws.client("ec2")
    told = vpc_settings.settle(ec2, own, session.account, session.aws.region)
    told += vpc_settings.settle_paths(ec2, own)
    for line in told:
        session.console.say(line)
    return told


def promises(session: Session, found: Stack, nested: Outputs) -> None:
    """Tells which promise a switch has given up."""
    places = [nested.get(name, {}) for name in ("NestedVPCStack", "NestedEndpointsStack")]
    endpoint = any("SecretsManagerEndpoint" in one for one in places)
    if found.parameters.get("InterfaceEndpoint") == "false" and nested.get("NestedVPCStack") and not endpoint:
        session.console.note(NO_ENDPOINT)


def far_side(nested: Outputs) -> list[str]:
    """The commands that the owner of a foreign VPC has to run."""
    commands = nested.get("NestedInterconnectStack", {}).get("FarSideCommands", "")
    return ["for the owner of the other VPC to run:", *commands.splitlines()] if commands else []
