"""The templates that the network carries, with values for their parameters."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

from aws_vpc.template import Template, bind, load
from aws_vpc.template_functions import Scope, evaluate
from aws_vpc.template_parameters import resolve

FOLDER = Path(__file__).parent.parent / "templates"
NAMES = ["ec2", "rds-resource", "redshift", "batch-job", "code-deploy", "elastic-beanstalk", "operations"]
SUBNETS = "subnet-0a,subnet-0b,subnet-0c"
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
PSEUDO = {
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "people",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/People/0a1b2c3d-4e5f",
}
GIVEN = {
    "EnvironmentName": "People",
    "Vpc": "vpc-0a",
    "PublicSubnets": SUBNETS,
    "PrivateSubnets": SUBNETS,
    "DataSubnets": SUBNETS,
    "WarehouseSubnets": SUBNETS,
    "WebServerSecurityGroup": "sg-0a",
    "DatabaseSecurityGroup": "sg-0b",
    "WarehouseSecurityGroup": "sg-0c",
    "LoaderSecurityGroup": "sg-0d",
    "WebServerRole": "web",
    "ArtifactBucket": "artifacts",
    "WebBundle": "web/0123.zip",
    "PlatformArn": "arn:aws:elasticbeanstalk:eu-central-1::platform/"
    "Python 3.13 running on 64bit Amazon Linux 2023/4.7.2",
    "Database": "people-database",
    "DatabaseAddress": "people.rds",
    "DatabasePort": "5432",
    "DatabaseName": "people",
    "DatabaseMasterSecret": f"{SECRET}rds",
    "WebDatabaseSecret": f"{SECRET}web-rds",
    "Warehouse": "people-warehouse",
    "WarehouseAddress": "people.redshift",
    "WarehousePort": "5439",
    "WarehouseDatabaseName": "people",
    "WarehouseMasterSecret": f"{SECRET}redshift",
    "WebWarehouseSecret": f"{SECRET}web-redshift",
    "WarehouseCopyRole": "copy",
    "WarehouseCopyRoleArn": "arn:aws:iam::111122223333:role/copy",
    "DeadLetterQueue": "failures",
    "WebServer": "i-0a",
    "WebEnvironment": "people-web",
    "NatGateways": "nat-0a,nat-0b",
}
# What is not known by its name alone.
ARNS = {"JobDefinition": "arn:aws:batch:eu-central-1:111122223333:job-definition/load:7"}


@cache
def template(name: str) -> Template:
    """The template of this name."""
    return load((FOLDER / f"{name}.yaml").read_text())


def scope(name: str, given: dict[str, str]) -> Scope:
    """What the template's functions may ask, with names for what is made only later."""
    declared = template(name).parameters
    stated = {key: value for key, value in (GIVEN | given).items() if key in declared}
    values = {key: one.value for key, one in resolve(declared, stated, lambda parameter: parameter).items()}
    return Scope(
        values={**values, **PSEUDO},
        ref=lambda logical: ARNS.get(logical, logical),
        attribute=lambda logical, attribute: f"{logical}.{attribute}",
    )


def standing(name: str, **given: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource that would stand, by logical id."""
    bound = bind(template(name), scope(name, given))
    return {
        logical: evaluate(resource.get("Properties", {}), bound.scope)
        for logical, resource in bound.resources.items()
    }


def put_out(name: str, **given: str) -> dict[str, Any]:
    """The outputs that would be there."""
    bound = bind(template(name), scope(name, given))
    return {key: evaluate(output["Value"], bound.scope) for key, output in bound.outputs.items()}


def user_data() -> str:
    """The script that an instance runs at its first boot."""
    data = standing("ec2")["WebServerLaunchTemplate"]["LaunchTemplateData"]
    return base64.b64decode(data["UserData"]).decode()


def settings(**given: str) -> dict[str, dict[str, str]]:
    """The environment's options by namespace."""
    found: dict[str, dict[str, str]] = {}
    for option in standing("elastic-beanstalk", **given)["WebEnvironment"]["OptionSettings"]:
        found.setdefault(option["Namespace"], {})[option["OptionName"]] = option["Value"]
    return found


CERTIFICATE = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b"
