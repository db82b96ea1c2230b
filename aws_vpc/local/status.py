"""What stands in an embedded AWS: `status(facts)` -> the one object of `local status --json`."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session

from aws_vpc.local.control import Facts, folder
from aws_vpc.local.leftovers import started
from aws_vpc.local.state_files import REGIONS, kept

ROOT = "Nested-RDS-Redshift-EC2-VPC"
GONE = "DELETE_COMPLETE"


def status(facts: Facts, root: str = ROOT, where: Path | None = None) -> dict[str, Any]:
    """Endpoint, page, both databases, stacks, data bucket and processes."""
    clients = Clients(facts)
    try:
        stacks = _stacks(clients)
        outputs = _outputs(clients, root) if root in stacks else {}
        page = _page(outputs.get("WebUrl"))
        return {
            "endpoint": facts.endpoint,
            "web": outputs.get("WebUrl"),
            "rds": {**_rds(clients, outputs), **_seen(page, "rds")},
            "redshift": {**_redshift(clients, outputs), **_seen(page, "redshift")},
            "stacks": stacks,
            "regions": _elsewhere(facts, where or folder()),
            "bucket": outputs.get("DataBucket"),
            "kept": kept(where or folder()),
            "pids": {"supervisor": facts.pid, **children(where or folder())},
        }
    finally:
        clients.close()


class Clients:
    """boto3 clients for the embedded AWS, whatever the environment says."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._session = botocore.session.Session(profile=None)
        self._made: list[Any] = []

    def __call__(self, service: str) -> Any:
        client = self._session.create_client(
            service,
            region_name=self._facts.region,
            endpoint_url=self._facts.endpoint,
            aws_access_key_id=self._facts.access_key,
            aws_secret_access_key=self._facts.secret_key,
        )
        self._made.append(client)
        return client

    def close(self) -> None:
        """Close their connections."""
        for client in self._made:
            client.close()


def _elsewhere(facts: Facts, where: Path) -> dict[str, dict[str, str]]:
    """The stacks of the other Regions that have any."""
    found = {}
    for region in regions_asked(where):
        if region != facts.region:
            clients = Clients(replace(facts, region=region))
            try:
                found[region] = _stacks(clients)
            finally:
                clients.close()
    return {region: stacks for region, stacks in found.items() if stacks}


def regions_asked(where: Path) -> list[str]:
    """The Regions in which CloudFormation has been asked for anything."""
    try:
        return sorted(json.loads((where / REGIONS).read_text()))
    except (OSError, ValueError):
        return []


def _stacks(clients: Clients) -> dict[str, str]:
    pages = clients("cloudformation").get_paginator("describe_stacks").paginate()
    return {
        s["StackName"]: s["StackStatus"] for page in pages for s in page["Stacks"] if s["StackStatus"] != GONE
    }


def _outputs(clients: Clients, root: str) -> dict[str, str]:
    (stack,) = clients("cloudformation").describe_stacks(StackName=root)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _rds(clients: Clients, outputs: dict[str, str]) -> dict[str, Any]:
    pages = clients("rds").get_paginator("describe_db_instances").paginate()
    found = [instance for page in pages for instance in page["DBInstances"]]
    return _chosen(found, "DBName", "DatabasePort", outputs)


def _redshift(clients: Clients, outputs: dict[str, str]) -> dict[str, Any]:
    pages = clients("redshift").get_paginator("describe_clusters").paginate()
    found = [cluster for page in pages for cluster in page["Clusters"]]
    return _chosen(found, "DBName", "WarehousePort", outputs)


def _chosen(found: list[Any], database: str, port: str, outputs: dict[str, str]) -> dict[str, Any]:
    """Where a database is reached: the root stack's own, or the first there is, or nowhere."""
    ready = [each for each in found if each.get("Endpoint", {}).get("Port")]
    mine = [each for each in ready if str(each["Endpoint"]["Port"]) == outputs.get(port)] or ready
    if not mine:
        return {"host": None, "port": None, "database": None}
    endpoint = mine[0]["Endpoint"]
    return {"host": endpoint["Address"], "port": endpoint["Port"], "database": mine[0].get(database)}


def _page(web: str | None) -> dict[str, Any]:
    """What the web page says of the databases; nothing when it does not answer."""
    if not web:
        return {}
    try:
        with urllib.request.urlopen(f"{web.rstrip('/')}/.json", timeout=10) as answer:
            found = json.load(answer)
    except (OSError, ValueError):
        return {}
    return dict(found.get("databases", {}))


def _seen(page: dict[str, Any], name: str) -> dict[str, Any]:
    said = page.get(name, {})
    return {"up": bool(said.get("up")), "rows": said.get("rows"), "version": said.get("version")}


def children(where: Path) -> dict[str, int]:
    """Name to pid of the processes that the embedded AWS in a folder runs."""
    try:
        rows = json.loads((where / "run.json").read_text())
    except (OSError, ValueError):
        return {}
    return {row["name"]: row["pid"] for row in rows if started(row["pid"]) == row["started"]}
