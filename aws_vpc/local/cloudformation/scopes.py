"""Where a stack's functions look things up: parameters, pseudo parameters, resources that stand, exports."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Resource, Stack
from aws_vpc.local.providers import PROVIDERS
from aws_vpc.local.providers.resource import Late
from aws_vpc.template import resolve_dynamic
from aws_vpc.template_functions import NO_VALUE, Scope
from aws_vpc.template_parameters import Parameter


def pseudo(stack_id: str, name: str, region: str, account: str, arns: tuple[str, ...]) -> dict[str, Any]:
    """The values of the pseudo parameters."""
    partition = (
        "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    )
    return {
        "AWS::AccountId": account,
        "AWS::NotificationARNs": list(arns),
        "AWS::NoValue": NO_VALUE,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": stack_id,
        "AWS::StackName": name,
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }


def masked(scope: Scope, parameters: Mapping[str, Parameter]) -> Scope:
    """The scope with asterisks for NoEcho parameters; the very scope when there are none."""
    hidden = {key: "****" for key, parameter in parameters.items() if parameter.no_echo}
    return replace(scope, values={**scope.values, **hidden}) if hidden else scope


def standing(
    engine: Engine,
    stack: Stack,
    scope: Scope,
    resources: Mapping[str, Resource],
    used: set[str] | None = None,
) -> Scope:
    """The scope in which resources are looked up as they stand; export names used are added to `used`."""

    def import_value(name: str) -> str:
        if used is not None:
            used.add(name)
        found = engine.exports(stack.region).get(name)
        if found is None:
            raise TemplateError(f"No export named {name} found. Rollback requested by user.")
        return found[1]

    def stack_output(name: str, output: str, region: str) -> str:
        found = engine.standing(name, region or stack.region)
        values = {one.key: one.value for one in found.outputs}
        if output not in values:
            raise TemplateError(f"Output [{output}] does not exist in stack [{name}]")
        return str(values[output])

    return replace(
        scope,
        stack_output=stack_output,
        ref=lambda logical: _standing(resources, logical).ref,
        attribute=lambda logical, attribute: attribute_now(
            engine, stack.region, _standing(resources, logical), attribute
        ),
        import_value=import_value,
        zones=lambda region: engine.zones(stack.region, region),
    )


def _standing(resources: Mapping[str, Resource], logical: str) -> Resource:
    found = resources.get(logical)
    if found is None or found.physical_id is None:
        raise TemplateError(f"Template error: resource {logical} does not stand")
    return found


def late(type: str, attribute: str) -> Late | None:
    """How the attribute is looked up, where resources of another type change it."""
    known = PROVIDERS.get(type)
    return known.late.get(attribute) if known else None


def attribute_now(engine: Engine, region: str, resource: Resource, attribute: str) -> Any:
    """What Fn::GetAtt answers at this moment."""
    found = late(resource.type, attribute)
    if found is None or resource.physical_id is None:
        return attribute_of(resource, attribute)
    return found.look(lambda service: engine.client(service, region), resource.physical_id)


def attribute_of(resource: Resource, attribute: str) -> Any:
    """What Fn::GetAtt answers; TemplateError when the type has no such attribute."""
    if attribute in resource.attributes:
        return resource.attributes[attribute]
    found: Any = resource.attributes
    for part in attribute.split("."):
        if not isinstance(found, dict) or part not in found:
            raise TemplateError(
                f"Template error: resource {resource.logical_id} does not support attribute type {attribute} "
                "in Fn::GetAtt"
            )
        found = found[part]
    return found


def stored_parameter(engine: Engine, region: str) -> Callable[[str], str]:
    """A function that reads a Systems Manager parameter named by a parameter type."""

    def fetch(name: str) -> str:
        try:
            found = engine.client("ssm", region).get_parameter(Name=name)["Parameter"]
        except ClientError:
            raise TemplateError(
                f"Unable to fetch parameters [{name}] from parameter store for this account."
            ) from None
        if found["Type"] == "SecureString":
            raise TemplateError(
                f"Parameters [{name}] referenced by template have types not supported by CloudFormation."
            )
        return str(found["Value"])

    return fetch


def dynamic(engine: Engine, region: str, value: Any) -> Any:
    """The value with its dynamic references replaced by what they name now."""
    return resolve_dynamic(value, lambda service, reference: _dynamic(engine, region, service, reference))


def _dynamic(engine: Engine, region: str, service: str, reference: str) -> str:
    try:
        if service == "secretsmanager":
            return _secret(engine.client("secretsmanager", region), reference)
        found = engine.client("ssm", region).get_parameter(
            Name=reference, WithDecryption=service == "ssm-secure"
        )
    except ClientError as error:
        if service == "secretsmanager":
            raise TemplateError(
                f"Could not find a value for {reference}: {error.response['Error']['Message']}"
            ) from None
        raise TemplateError(f"Parameters: [{service}:{reference}] cannot be found.") from None
    if service == "ssm" and found["Parameter"]["Type"] == "SecureString":
        raise TemplateError(f"Non-secure reference was used for secure parameter: [{reference}]")
    return str(found["Parameter"]["Value"])


SECRET = re.compile(
    r"(arn:[^:]+:secretsmanager:[^:]+:\d+:secret:[^:]+|[^:]+)(?::([^:]*))?(?::([^:]*))?(?::([^:]*))?(?::([^:]*))?"
)


def _secret(client: Any, reference: str) -> str:
    match = SECRET.fullmatch(reference)
    if match is None or match[2] not in (None, "", "SecretString"):
        raise TemplateError(f"Invalid dynamic reference secretsmanager:{reference}")
    asked = {"SecretId": match[1]}
    if match[4]:
        asked["VersionStage"] = match[4]
    if match[5]:
        asked["VersionId"] = match[5]
    text = str(client.get_secret_value(**asked)["SecretString"])
    if not match[3]:
        return text
    try:
        found = json.loads(text)[match[3]]
    except (ValueError, KeyError, TypeError):
        raise TemplateError(
            f"Could not find a value associated with JSONKey in SecretString: {match[3]}"
        ) from None
    return found if isinstance(found, str) else json.dumps(found)
