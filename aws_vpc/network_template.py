"""CloudFormation templates to the answers that AWS would give once they stand: no AWS, nothing deployed.

    answers_of(files, root, parameters) -> Answers     root and its nested stacks, ids are logical paths

A resource's id is its logical path: `Vpc` in a template by itself, `NestedVPCStack/Vpc` in a nested stack.
Values that only a running system knows (addresses of databases, ARNs) become path and attribute as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template import Bound, Template, bind, load
from aws_vpc.template_functions import Scope, evaluate
from aws_vpc.template_parameters import LISTS, STORED, resolve, scalar, split

STACK = "AWS::CloudFormation::Stack"
PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::AccountId": "123456789012"}
# A child without any of these has nothing to say about the network, and is not read at all.
RELEVANT = re.compile(
    r"AWS::(EC2::(?!FlowLog|NetworkInsights)\w+(?<!Id)\s*$|RDS::|Redshift|Batch::Comp|ElasticLoad|ElasticBeanstalk::E)",
    re.M,
)
ITSELF = {"Id", "GroupId", "AllocationId", "VpcId", "InstanceId", "NatGatewayId", "PrefixListId"}


@dataclass(frozen=True)
class Declared:
    """One resource that will stand: its path, its type and its evaluated properties."""

    path: str
    type: str
    properties: Mapping[str, Any]


@dataclass
class Stack:
    """One template with its parameters; resources and outputs are evaluated when they are asked for."""

    prefix: str
    bound: Bound
    files: Mapping[str, str]
    region: str
    provided: dict[str, str]  # VPC -> the IPv6 block that stands for Amazon's, shared by all stacks
    children: dict[str, Stack | None] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """What the template's functions may ask."""
        return self.bound.scope

    def declared(self) -> Iterator[Declared]:
        """Every resource of this stack and of the stacks in it."""
        for logical, resource in self.bound.resources.items():
            if resource["Type"] == STACK:
                child = self.child(logical)
                if child is not None:
                    yield from child.declared()
            elif resource["Type"].startswith(
                ("AWS::EC2::", "AWS::RDS::DB", "AWS::Redshift", "AWS::Batch::Comp", "AWS::Elastic")
            ):
                properties = evaluate(resource.get("Properties", {}), self.scope)
                if block := self._ipv6_block(properties, str(properties.get("VpcId"))):
                    properties["Ipv6CidrBlock"] = block
                yield Declared(self.prefix + logical, resource["Type"], properties)

    def child(self, logical: str, needed: bool = False) -> Stack | None:
        """The nested stack; None when its template says nothing about the network and nobody needs it."""
        if self.children.get(logical) is None and (needed or logical not in self.children):
            properties = self.bound.resources[logical].get("Properties", {})
            name = PurePosixPath(str(evaluate(properties["TemplateURL"], self.scope))).name
            if name not in self.files:
                raise TemplateError(f"{self.prefix}{logical} names {name}, which is not beside its template")
            text = self.files[name]
            self.children[logical] = None
            if needed or RELEVANT.search(text):
                given = evaluate(properties.get("Parameters", {}), self.scope)
                self.children[logical] = open_stack(
                    self.files, name, given, self.region, f"{self.prefix}{logical}/", self.provided
                )
        return self.children[logical]

    def attribute(self, logical: str, name: str) -> Any:
        """What Fn::GetAtt gives: an output, a block, or a text that stands for what will be known later."""
        resource = self.bound.resources.get(logical)
        if resource is None:
            raise TemplateError(
                f"Template error: instance of Fn::GetAtt references undefined resource {logical}"
            )
        if resource["Type"] == STACK and name.startswith("Outputs."):
            return self._output(logical, name.removeprefix("Outputs."))
        stated = resource.get("Properties", {}).get(name)
        if name == "CidrBlock" and stated is not None:
            return evaluate(stated, self.scope)
        if name == "Ipv6CidrBlocks":
            return self._ipv6_blocks(logical, resource["Type"])
        return self.prefix + logical if name in ITSELF else f"{self.prefix}{logical}.{name}"

    def _ipv6_blocks(self, logical: str, type: str) -> list[str]:
        """The blocks that resources of this stack give to a VPC or subnet, or that it states itself."""
        owner = "VpcId" if type == "AWS::EC2::VPC" else "SubnetId"
        kind = "AWS::EC2::VPCCidrBlock" if owner == "VpcId" else "AWS::EC2::SubnetCidrBlock"
        rows = [evaluate(self.bound.resources[logical].get("Properties", {}), self.scope)]
        for one in self.bound.resources.values():
            if one["Type"] == kind and one["Properties"][owner] == {"Ref": logical}:
                rows.append(evaluate(one["Properties"], self.scope))
        found = [self._ipv6_block(row, self.prefix + logical) for row in rows]
        return [str(one) for one in found if one]

    def _ipv6_block(self, properties: Mapping[str, Any], vpc: str) -> Any:
        """The block that properties state; a /56 of the documentation's (RFC 3849) where EC2 chooses."""
        if str(properties.get("AmazonProvidedIpv6CidrBlock")).lower() != "true":
            return properties.get("Ipv6CidrBlock")
        return self.provided.setdefault(vpc, f"2001:db8:{len(self.provided) + 1:x}::/56")

    def _output(self, logical: str, name: str) -> Any:
        child = self.child(logical)
        if child is None:  # nothing of the network: any text does
            return f"{self.prefix}{logical}.{name}"
        if name not in child.bound.outputs:
            raise TemplateError(f"{child.prefix.rstrip('/')} has no output {name}")
        return evaluate(child.bound.outputs[name]["Value"], child.scope)


def open_stack(
    files: Mapping[str, str],
    name: str,
    given: Mapping[str, Any],
    region: str,
    prefix: str = "",
    provided: dict[str, str] | None = None,
) -> Stack:
    """The template under the name with its parameters."""
    template = _loaded(files[name])
    values = _values(template, given, bool(prefix))
    zones: Callable[[str], list[str]] = lambda where: [f"{where}{letter}" for letter in "abc"]  # noqa: E731
    found: list[Stack] = []
    scope = Scope(
        values={**PSEUDO, "AWS::Region": region, **_names(prefix, region), **values},
        ref=lambda logical: prefix + logical,
        attribute=lambda logical, attribute: found[0].attribute(logical, attribute),
        import_value=lambda exported: exported,
        zones=zones,
    )
    found.append(Stack(prefix, bind(template, scope), files, region, {} if provided is None else provided))
    return found[0]


@lru_cache(maxsize=64)
def _loaded(text: str) -> Template:
    """The template without its Rules: they are about deploying, and ask for bundles and platforms, too."""
    template = load(text)
    return replace(template, body={key: it for key, it in template.body.items() if key != "Rules"})


def _names(prefix: str, region: str) -> dict[str, str]:
    name = prefix.rstrip("/").replace("/", "-") or "planned"
    return {"AWS::StackName": name, "AWS::StackId": f"arn:aws:cloudformation:{region}::stack/{name}/planned"}


def _values(template: Template, given: Mapping[str, Any], nested: bool) -> dict[str, Any]:
    """The parameters: checked at the top, taken as they come in a child, which gets ids that are paths."""
    declared = template.parameters
    missing = {
        key: str(parameter.get("AllowedValues", ["unset"])[0])
        for key, parameter in declared.items()
        if key not in given and "Default" not in parameter
    }
    if not nested:
        known = {key: it for key, it in declared.items() if key not in missing}
        found = resolve(known, dict(given), lambda name: f"{{{{{name}}}}}")
        return {**missing, **{key: it.value for key, it in found.items()}}
    if unknown := sorted(given.keys() - declared.keys()):
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return {
        key: _typed(parameter, given[key] if key in given else parameter.get("Default", missing.get(key)))
        for key, parameter in declared.items()
    }


def _typed(parameter: Mapping[str, Any], value: Any) -> Any:
    stored = STORED.fullmatch(parameter["Type"])
    kind = stored[1] if stored else parameter["Type"]
    if kind in LISTS:
        return value if isinstance(value, list) else split(scalar(value))
    return scalar(value)


def declared_of(files: Mapping[str, str], root: str, given: Mapping[str, Any], region: str) -> list[Declared]:
    """Every resource that the root with these parameters makes, nested stacks included."""
    return list(open_stack(files, root, given, region).declared())
