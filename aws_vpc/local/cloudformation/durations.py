"""How long resources take on AWS: what `--delay FACTOR` multiplies.

Seconds to create, update and delete, as stacks of these types commonly show in their events; they are no
promise of AWS's. A factor of 1 takes as long as AWS, 0 no time at all.
"""

from __future__ import annotations

from typing import NamedTuple


class Seconds(NamedTuple):
    """What one type takes."""

    create: float
    update: float
    delete: float


DEFAULT = Seconds(5, 5, 5)
DURATIONS = {
    "AWS::Batch::ComputeEnvironment": Seconds(40, 40, 60),
    "AWS::Batch::JobQueue": Seconds(35, 15, 60),
    "AWS::CodeBuild::Project": Seconds(5, 5, 3),
    "AWS::EC2::EIP": Seconds(15, 15, 15),
    "AWS::EC2::FlowLog": Seconds(5, 5, 5),
    "AWS::EC2::Instance": Seconds(35, 60, 60),
    "AWS::EC2::InternetGateway": Seconds(17, 5, 15),
    "AWS::EC2::NatGateway": Seconds(105, 5, 60),
    "AWS::EC2::NetworkAcl": Seconds(17, 5, 15),
    "AWS::EC2::NetworkAclEntry": Seconds(16, 16, 16),
    "AWS::EC2::Route": Seconds(17, 16, 17),
    "AWS::EC2::SecurityGroup": Seconds(6, 5, 3),
    "AWS::EC2::Subnet": Seconds(6, 5, 3),
    "AWS::EC2::TransitGateway": Seconds(100, 60, 60),
    "AWS::EC2::TransitGatewayAttachment": Seconds(80, 60, 70),
    "AWS::EC2::TransitGatewayVpcAttachment": Seconds(80, 60, 70),
    "AWS::EC2::VPC": Seconds(14, 15, 4),
    "AWS::EC2::VPCEndpoint": Seconds(80, 30, 100),
    "AWS::EC2::VPCGatewayAttachment": Seconds(16, 16, 16),
    "AWS::EC2::VPCPeeringConnection": Seconds(17, 5, 15),
    "AWS::ElasticBeanstalk::Environment": Seconds(300, 180, 240),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Seconds(150, 20, 15),
    "AWS::Events::Rule": Seconds(60, 60, 60),
    "AWS::IAM::InstanceProfile": Seconds(125, 5, 3),
    "AWS::IAM::ManagedPolicy": Seconds(17, 17, 3),
    "AWS::IAM::Policy": Seconds(16, 16, 3),
    "AWS::IAM::Role": Seconds(18, 15, 5),
    "AWS::KMS::Key": Seconds(120, 60, 5),
    "AWS::RDS::DBInstance": Seconds(600, 300, 360),
    "AWS::RDS::DBParameterGroup": Seconds(5, 5, 5),
    "AWS::Redshift::Cluster": Seconds(240, 300, 180),
    "AWS::RedshiftServerless::Namespace": Seconds(15, 15, 60),
    "AWS::RedshiftServerless::Workgroup": Seconds(240, 180, 240),
    "AWS::S3::Bucket": Seconds(22, 20, 5),
    "AWS::SNS::Topic": Seconds(12, 5, 3),
    "AWS::SQS::Queue": Seconds(65, 65, 65),
    "AWS::SSM::Parameter": Seconds(2, 2, 2),
}


def seconds(type: str) -> Seconds:
    """What the type takes at factor 1; nothing for stacks and waits, which end by what they hold."""
    if type.startswith("AWS::CloudFormation::"):
        return Seconds(0, 0, 0)
    return DURATIONS.get(type, DEFAULT)
