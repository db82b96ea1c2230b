"""The endpoint services of a Region, without asking every service for its own.

moto gathers the list from eleven of its services, which it imports for that: 80 MB and most of a second.
"""

from __future__ import annotations

from typing import Any

# What moto words by service: those behind a gateway, and interface endpoints whose name is not the service's.
GATEWAYS = ("dynamodb", "s3")
INTERFACES = (
    "cloudformation",
    "codepipeline",
    "dynamodb",
    "ecr.api",
    "ecr.dkr",
    "iot.credentials",
    "iot.data",
    "iot.fleethub.api",
    "kinesis-firehose",
    "kinesis-streams",
    "redshift-data",
    "route53resolver",
    "s3",
    "sagemaker.api",
    "sagemaker.runtime",
)


def prepare(region: str) -> None:
    """Give moto the list of the Region, as the first question would."""
    from moto.core.base_backend import BaseBackend
    from moto.ec2.models import vpcs
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

    with vpcs.ENDPOINT_SERVICE_COLLECTION_LOCK:
        if region in vpcs.DEFAULT_VPC_ENDPOINT_SERVICES:
            return
        zones = [zone.name for zone in RegionsAndZonesBackend.zones.get(region, ())]
        plain = [one for one in vpcs.AWS_ENDPOINT_SERVICES if one not in vpcs.COVERED_ENDPOINT_SERVICES]
        found: list[dict[str, Any]] = []
        for service in dict.fromkeys([*INTERFACES, *plain]):
            found += BaseBackend.default_vpc_endpoint_service_factory(region, zones, service)
        for service in GATEWAYS:
            found += BaseBackend.default_vpc_endpoint_service_factory(
                region, zones, service, service_type="Gateway", private_dns_names=False
            )
        vpcs.DEFAULT_VPC_ENDPOINT_SERVICES[region] = found
