"""The deployed network, as the templates tell it to the pages: WEB_NETWORK.

    Vpc=vpc-0a1b VpcCidr=10.0.0.0/16 PublicSubnets=subnet-1+subnet-2 Interconnection=pcx-0c1d ...

One NAME=VALUE a blank apart, named as the outputs of vpc.yaml that they come from, lists joined by +. What is
not told is left out of the drawing; what is told and not known here is passed over, for templates may be
newer.
"""

import re
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class NetworkFacts:
    """Ids and addresses of what stands; empty where it does not, or where nobody said so."""

    vpc: str = ""
    vpc_cidr: str = ""
    public_subnets: tuple[str, ...] = ()
    data_subnets: tuple[str, ...] = ()
    warehouse_vpc: str = ""
    warehouse_vpc_cidr: str = ""
    warehouse_subnets: tuple[str, ...] = ()
    interconnection: str = ""
    secrets_manager_endpoint: str = ""
    s3_gateway_endpoint: str = ""
    internet_gateway: str = ""

    @property
    def known(self) -> bool:
        """Whether anything was told."""
        return self != NetworkFacts()


def parse(text: str) -> NetworkFacts:
    """The facts in the setting."""
    names = {field.name: field.type for field in fields(NetworkFacts)}
    found: dict[str, str | tuple[str, ...]] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        if snake in names:
            found[snake] = tuple(filter(None, value.split("+"))) if names[snake] is not str else value
    return NetworkFacts(**found)  # type: ignore[arg-type]
