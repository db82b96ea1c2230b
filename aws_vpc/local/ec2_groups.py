"""The default security group of a VPC, which admits its own members; moto leaves it without the rule.

Source: VPC User Guide, "Default security groups for your VPCs".
"""

from __future__ import annotations

from aws_vpc.local.ec2_nat import parsed
from aws_vpc.local.wire import Request, Response
from aws_vpc.local.world import World


class DefaultGroups:
    """Gives each default group its rule once: that of a new VPC, and in each Region that of the first one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._regions: set[str] = set()

    def begin(self, region: str) -> None:
        """The group of the Region's default VPC has its rule."""
        if region in self._regions:
            return
        self._regions.add(region)
        filters = [{"Name": "is-default", "Values": ["true"]}]
        for vpc in self.world.client("ec2", region).describe_vpcs(Filters=filters)["Vpcs"]:
            self._admit_members(region, vpc["VpcId"])

    def made(self, request: Request, response: Response) -> None:
        """The group of a VPC that has just been made has its rule."""
        if response.status == 200:
            action = "CreateDefaultVpc" if b"CreateDefaultVpcResponse" in response.body else "CreateVpc"
            self._admit_members(request.region, parsed(action, response)["Vpc"]["VpcId"])

    def _admit_members(self, region: str, vpc: str) -> None:
        client = self.world.client("ec2", region)
        filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        (group,) = client.describe_security_groups(Filters=filters)["SecurityGroups"]
        if group["IpPermissions"]:
            return
        members = [{"GroupId": group["GroupId"]}]
        client.authorize_security_group_ingress(
            GroupId=group["GroupId"], IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": members}]
        )
