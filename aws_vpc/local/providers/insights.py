"""Network insights paths: the questions that VPC Reachability Analyzer is asked."""

from aws_vpc.local.providers import ec2
from aws_vpc.local.providers.ec2 import Noun

PATH = Noun("network_insights_path", "NetworkInsightsPath")

PROVIDERS = (
    ec2.resource(
        "AWS::EC2::NetworkInsightsPath",
        PATH,
        "Source Destination SourceIp DestinationIp Protocol DestinationPort FilterAtSource "
        "FilterAtDestination",
    ),
)
