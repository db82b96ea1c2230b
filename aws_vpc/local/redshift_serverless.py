"""Amazon Redshift Serverless: a workgroup's endpoint is a real warehouse server, as that of a cluster.

    CreateNamespace ─► user, database, roles on record; its secret when the password is managed
    CreateWorkgroup ─► CREATING ─► the namespace's server ─► AVAILABLE | FAILED

The data belongs to the namespace: it outlives the workgroup, and goes with the namespace. A snapshot is a
record. Out: usage limits, endpoint access, restoring, temporary credentials.
"""

from __future__ import annotations

from collections.abc import Callable

from aws_vpc.local import database_interfaces, databases, ec2_interfaces
from aws_vpc.local.databases import ADDRESS
from aws_vpc.local.redshift_cluster import Cluster
from aws_vpc.local.redshift_serverless_namespaces import NAME, Namespace, Namespaces
from aws_vpc.local.redshift_serverless_records import refused
from aws_vpc.local.service import Answer, Parameters, new_id, now, page, tag_map, whole
from aws_vpc.local.wire import Handler
from aws_vpc.local.world import World

SETTINGS = {  # what a workgroup's configParameters may set
    *("auto_mv", "datestyle", "enable_case_sensitive_identifier", "enable_user_activity_logging"),
    *("query_group", "search_path", "require_ssl", "use_fips_ssl", "wlm_json_configuration"),
    *("max_query_cpu_time", "max_query_blocks_read", "max_scan_row_count", "max_query_execution_time"),
    *("max_query_queue_time", "max_query_cpu_usage_percent", "max_query_temp_blocks_to_disk"),
    *("max_join_row_count", "max_nested_loop_join_row_count"),
}
ZONES = 3  # in which a workgroup must have subnets
WORKGROUP = (
    "baseCapacity maxCapacity configParameters enhancedVpcRouting publiclyAccessible securityGroupIds "
    "subnetIds pricePerformanceTarget trackName ipAddressType"
)
_running: list[Serverless] = []


class Serverless(Namespaces):
    """Redshift Serverless in one Region."""

    def create_workgroup(self, params: Parameters) -> Answer:
        """The new workgroup, whose server starts in the background."""
        name, found = params["workgroupName"], self._namespace(params)
        if not NAME.fullmatch(name):
            raise refused(f"Invalid workgroupName {name}: 3 to 64 lowercase letters, digits and hyphens")
        if self._holder(name):
            raise refused(f"Workgroup {name} already exists.", "ConflictException")
        if found.workgroup:
            text = f"Namespace {params['namespaceName']} already has a workgroup."
            raise refused(text, "ConflictException")
        self._check(params)
        id = "-".join(new_id("", length, "0123456789abcdef") for length in (8, 4, 4, 4, 12))
        found.workgroup = {
            "baseCapacity": 128,
            "enhancedVpcRouting": False,
            "publiclyAccessible": False,
            "configParameters": [],
            "securityGroupIds": [],
            "subnetIds": [],
            "trackName": "current",
            "ipAddressType": "ipv4",
            **{key: params[key] for key in WORKGROUP.split() if params.get(key) is not None},
            "workgroupName": name,
            "namespaceName": params["namespaceName"],
            "workgroupId": id,
            "workgroupArn": f"{self.arn}:workgroup/{id}",
            "workgroupVersion": "1.0",
            "creationDate": now(),
        }
        self._tags[found.workgroup["workgroupArn"]] = tag_map(params.get("tags"))
        database_interfaces.place_workgroup(self.world, self.region, name, found.workgroup)
        found.cluster.begin("CREATING", "AVAILABLE", found.open)
        return {"workgroup": self._shown(found)}

    def get_workgroup(self, params: Parameters) -> Answer:
        """The workgroup."""
        return {"workgroup": self._shown(self._workgroup(params))}

    def list_workgroups(self, params: Parameters) -> Answer:
        """All workgroups."""
        found = [self._shown(each) for each in self._namespaces.values() if each.workgroup]
        return page("workgroups", found, params, "maxResults", "nextToken")

    def update_workgroup(self, params: Parameters) -> Answer:
        """The workgroup as it is now."""
        found = self._workgroup(params)
        if found.cluster.status != "AVAILABLE":
            text = f"Workgroup {params['workgroupName']} is {found.cluster.status}, not AVAILABLE."
            raise refused(text, "ConflictException")
        self._check(params)
        fresh = {key: params[key] for key in WORKGROUP.split() if params.get(key) is not None}
        found.workgroup = {**(found.workgroup or {}), **fresh}
        database_interfaces.place_workgroup(self.world, self.region, params["workgroupName"], found.workgroup)
        return {"workgroup": self._shown(found)}

    def delete_workgroup(self, params: Parameters) -> Answer:
        """The workgroup that is gone; the namespace keeps the data."""
        found = self._workgroup(params)
        found.cluster.finish()
        found.cluster.close()
        found.cluster.status = "DELETING"
        shown = self._shown(found)
        found.workgroup = None
        ec2_interfaces.remove(self.world, self.region, params["workgroupName"])
        return {"workgroup": shown}

    def _holder(self, name: str) -> Namespace | None:
        held = (each for each in self._namespaces.values() if each.workgroup)
        return next((each for each in held if (each.workgroup or {})["workgroupName"] == name), None)

    def _workgroup(self, params: Parameters) -> Namespace:
        found = self._holder(params["workgroupName"])
        if found is None:
            raise refused(f"Workgroup {params['workgroupName']} not found.", "ResourceNotFoundException")
        return found

    def _shown(self, found: Namespace) -> Answer:
        """The workgroup as the API shows it."""
        cluster, name = found.cluster, (found.workgroup or {})["workgroupName"]
        inside = {"networkInterfaces": database_interfaces.shown(self.world, self.region, name)}
        reached = {"address": ADDRESS, "vpcEndpoints": [inside]} | (
            {"port": cluster.port} if cluster.port else {}
        )
        status = {"failed": "FAILED"}.get(cluster.status, cluster.status)
        return {
            **(found.workgroup or {}),
            "status": status,
            "endpoint": reached,
            "port": cluster.port or None,
        }

    def _check(self, params: Parameters) -> None:
        """Raise ServiceError for a workgroup that the service would not take."""
        for each in params.get("configParameters") or []:
            if each.get("parameterKey") not in SETTINGS:
                raise refused(f"Invalid parameter key: {each.get('parameterKey')}")
        base, most = params.get("baseCapacity"), params.get("maxCapacity")
        if base is not None and not (base == 4 or (8 <= base <= 1024 and base % 8 == 0)):
            raise refused(f"Invalid base capacity {base}: 4, or 8 to 1024 in steps of 8")
        if base is not None and most is not None and most < base:
            raise refused(f"Max capacity {most} is below base capacity {base}")
        if subnets := params.get("subnetIds"):
            listed = self.world.client("ec2", self.region).describe_subnets(SubnetIds=subnets)["Subnets"]
            zones = {subnet["AvailabilityZone"] for subnet in listed}
            if len(zones) < ZONES:
                text = f"Insufficient number of Availability Zones: the subnets are in {len(zones)}, "
                raise refused(f"{text}a workgroup needs subnets in {ZONES}.")

    def resume(self) -> list[Cluster]:
        """The servers of all workgroups, which start again."""
        _running.append(self)
        self.world.data_owners.append(self._folders)
        for found in self._namespaces.values():
            found.resume()
        return [found.cluster for found in self._namespaces.values()]

    def _folders(self) -> set[str]:
        return {each.cluster.server.name for each in self._namespaces.values()}

    def stop(self) -> None:
        """Stop the servers and remove their data."""
        for found in self._namespaces.values():
            found.cluster.finish()
            found.cluster.remove()


def handler(world: World) -> Handler:
    """The handler of requests to Redshift Serverless."""
    databases.installation(world)

    def make(region: str) -> Serverless:
        made = Serverless(world, region)
        _running.append(made)
        return made

    return whole("redshift-serverless", world, make)


def rotation(world: World, secret: str) -> Callable[[], str] | None:
    """What rotates a managed admin secret of this embedded AWS; None when it is of no namespace."""
    found = (each.rotation(secret) for each in _running if each.world is world)
    return next((rotate for rotate in found if rotate), None)


def stop() -> None:
    """Stop every server and remove what it left."""
    worlds = []
    while _running:
        serverless = _running.pop()
        serverless.stop()
        worlds.append(serverless.world)
    for world in worlds:
        databases.close(world)
