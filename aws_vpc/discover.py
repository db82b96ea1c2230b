"""Where answers about a network come from: templates on disk, a live account, a snapshot of one.

A snapshot is a folder with one JSON file per describe call, named after its result: `Vpcs.json` holds
`{"Vpcs": [...]}`. The files lie in the folder itself, or as Batfish lays them out: in `aws_configs/`,
`aws_configs/<region>/` or `aws_configs/accounts/<account>/<region>/`. A missing file means «none of these».
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_vpc.errors import Error, UsageError
from aws_vpc.inputs import check_known, check_value
from aws_vpc.network import Network
from aws_vpc.network_answers import build
from aws_vpc.network_faults import faults
from aws_vpc.network_template_answers import answers_of
from aws_vpc.template_parameters import scalar
from aws_vpc.template_parse import parse

if TYPE_CHECKING:
    from aws_vpc.aws import Aws

Answers = dict[str, list[dict[str, Any]]]
ROOT = "nested-stack.yaml"
SUFFIXES = (".yaml", ".yml", ".json")
REGION_NAME = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
# (service, operation, member of the answer, file of the snapshot)
CALLS = (
    ("ec2", "describe_vpcs", "Vpcs"),
    ("ec2", "describe_subnets", "Subnets"),
    ("ec2", "describe_route_tables", "RouteTables"),
    ("ec2", "describe_network_acls", "NetworkAcls"),
    ("ec2", "describe_security_groups", "SecurityGroups"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces"),
    ("ec2", "describe_instances", "Reservations"),
    ("ec2", "describe_internet_gateways", "InternetGateways"),
    ("ec2", "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways"),
    ("ec2", "describe_nat_gateways", "NatGateways"),
    ("ec2", "describe_vpc_peering_connections", "VpcPeeringConnections"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints"),
    ("ec2", "describe_managed_prefix_lists", "ManagedPrefixLists:PrefixLists"),
    ("ec2", "describe_transit_gateways", "TransitGateways"),
    ("ec2", "describe_transit_gateway_attachments", "TransitGatewayAttachments"),
    ("ec2", "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"),
    ("ec2", "describe_transit_gateway_peering_attachments", "TransitGatewayPeeringAttachments"),
    ("ec2", "describe_transit_gateway_route_tables", "TransitGatewayRouteTables"),
    ("ec2", "describe_vpn_gateways", "VpnGateways"),
    ("rds", "describe_db_instances", "DBInstances"),
    ("redshift", "describe_clusters", "Clusters"),
    ("redshift", "describe_cluster_subnet_groups", "ClusterSubnetGroups"),
    ("redshift-serverless", "list_workgroups", "Workgroups:workgroups"),
    ("batch", "describe_compute_environments", "ComputeEnvironments:computeEnvironments"),
    ("elbv2", "describe_load_balancers", "LoadBalancers"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
)
# Files that no single call gives: the answers to one call for each of something.
DERIVED = (
    "VpcAttributes", "PrefixLists", "TransitGatewayStaticRoutes", "TransitGatewayPropagatedRoutes",
    "TransitGatewayPropagations", "TransitGatewayAssociations", "Listeners", "LoadBalancerAttributes",
    "LoadBalancerTargetHealth", "TargetGroupAttributes", "Environments", "StackResources",
    "VpcBlockPublicAccessOptions",
)  # fmt: skip
KEYS = {key.lower(): key for key in (*(call[2].split(":")[0] for call in CALLS), *DERIVED)}
# What an endpoint says of an operation, or a Region of a service, that it does not have.
ABSENT = {"InvalidAction", "NotImplemented", "NotImplementedError", "UnknownOperationException", "501", "404"}


def from_templates(path: Path, given: Mapping[str, str], region: str) -> Network:
    """The network of a root template, or of `nested-stack.yaml` in a folder, with the parameters."""
    folder, root = _root(path)
    _refuse_wrong(folder / root, given)
    files = {
        it.name: it.read_text(encoding="utf-8") for it in sorted(folder.iterdir()) if it.suffix in SUFFIXES
    }
    network = build(answers_of(files, root, given, region))
    if found := faults(network):
        raise Error(f"{root} with these parameters contradicts itself: {'; '.join(found)}")
    return network


def _root(path: Path) -> tuple[Path, str]:
    """The folder and the file name of a root template."""
    folder, root = (path, ROOT) if path.is_dir() else (path.parent, path.name)
    if not (folder / root).is_file() or Path(root).suffix not in SUFFIXES:
        raise UsageError(f"{folder / root} is no template: name a template, or a folder that has a {ROOT}")
    return folder, root


def _refuse_wrong(root: Path, given: Mapping[str, str]) -> None:
    """UsageError for a parameter that the root template does not have, or not with this value."""
    if given:
        declared = parse(root.read_text(encoding="utf-8")).get("Parameters") or {}
        check_known(given, list(declared), root.name)
        for name, value in given.items():
            check_value(name, declared[name], value)


def defaults(path: Path) -> dict[str, str]:
    """The default values of the root template's parameters."""
    folder, root = _root(path)
    declared = parse((folder / root).read_text(encoding="utf-8")).get("Parameters") or {}
    return {key: scalar(it["Default"]) for key, it in declared.items() if "Default" in it}


def from_snapshot(folder: Path) -> Network:
    """The network of saved answers; Error with the ids when they contradict each other."""
    answers = read_snapshot(folder)
    try:
        network = build(answers)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        what = f"something in it has no {error}" if isinstance(error, KeyError) else str(error)
        raise Error(f"the snapshot {folder} cannot be read: {what}; save it again") from error
    if found := faults(network):
        raise Error(f"the snapshot {folder} contradicts itself: {'; '.join(found)}")
    return network


def read_snapshot(folder: Path) -> Answers:
    """The answers that the files of a snapshot hold."""
    answers: Answers = {}
    places = list(_places(folder))
    for place in places:
        for file in sorted(place.glob("*.json")):
            if key := KEYS.get(file.stem.lower()):
                rows = _rows(file, key)
                _placed(rows, key, place.name)
                answers.setdefault(key, []).extend(rows)
    if "Vpcs" not in answers:
        shown = ", ".join(map(str, places)) or str(folder)
        raise UsageError(f"{folder} is no snapshot: there is no Vpcs.json in {shown}")
    return answers


def _places(folder: Path) -> Iterator[Path]:
    top = folder / "aws_configs"
    patterns = ("*", "accounts/*/*")
    found = [folder, top, *(it for pattern in patterns for it in sorted(top.glob(pattern)))]
    return (it for it in found if it.is_dir())


def _rows(file: Path, key: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Error(f"{file} is no JSON at {place}: {error.msg}; save the snapshot again") from None
    except UnicodeDecodeError as error:
        raise Error(f"{file} is no text at byte {error.start}; save the snapshot again") from None
    rows = (
        next((it for name, it in value.items() if name.lower() == key.lower()), None)
        if isinstance(value, dict)
        else value
    )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Error(f"{file} has no list {key!r} of objects, as the describe call gives it")
    return rows


def _placed(rows: Sequence[dict[str, Any]], key: str, region: str) -> None:
    """VPCs and transit gateways know their Region from the folder they were saved in."""
    if key in ("Vpcs", "TransitGateways") and REGION_NAME.fullmatch(region):
        for row in rows:
            row.setdefault("Region", region)


def save(answers: Mapping[str, Any], folder: Path, region: str) -> list[Path]:
    """The files written: the answers as a snapshot, under `aws_configs/<region>/`."""
    place = folder / "aws_configs" / region
    texts = {
        place / f"{key}.json": json.dumps({key: rows}, indent=1, sort_keys=True, default=str) + "\n"
        for key, rows in answers.items()
    }
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        text = f"{error.filename} cannot be written: {error.strerror}; name a folder that can"
        raise UsageError(text) from error
    return list(texts)


def from_live(aws: Aws, *, named: bool = True) -> Network:
    """The network of the account; what contradicts itself there is told as a warning.

    `named` asks CloudFormation for logical names, too.
    """
    from dataclasses import replace

    network = build(read_live(aws, named=named))
    return replace(network, warnings=(*network.warnings, *faults(network)))


def read_live(aws: Aws, *, named: bool = True) -> Answers:
    """What the account's endpoint answers to every describe call."""
    from aws_vpc.discover_more import more, stack_resources

    answers: Answers = {}
    for service, operation, told in CALLS:
        key, _, member = told.partition(":")
        rows = listed(aws.client(service), operation, member or key)
        if rows is not None:
            answers[key] = rows
    _placed(answers.get("Vpcs", []), "Vpcs", aws.region)
    _placed(answers.get("TransitGateways", []), "TransitGateways", aws.region)
    answers |= more(aws, answers)
    if named:
        answers["StackResources"] = stack_resources(aws)
    return answers


def listed(client: Any, operation: str, member: str, **asked: Any) -> list[dict[str, Any]] | None:
    """Every row of an answer, over all its pages; None where the endpoint has no such operation."""
    from botocore.exceptions import ClientError, EndpointConnectionError

    try:
        if client.can_paginate(operation):
            pages = client.get_paginator(operation).paginate(**asked)
            return [row for page in pages for row in page.get(member) or ()]
        return list(getattr(client, operation)(**asked).get(member) or ())
    except EndpointConnectionError:
        if client.meta.service_model.service_name == "ec2":
            raise
        return None
    except ClientError as error:
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
        if error.response["Error"]["Code"] in ABSENT or status in ("501",):
            return None
        raise
