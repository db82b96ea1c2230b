"""What a stack that is gone has left: resources that policies kept, found by their tags, and snapshots.

In: a function from a service's name to its client, the root's name. Out: a line for each.
CloudFormation's own tag with the stack's name stays on a resource that it retains (User Guide, «Resource
tags»); a final snapshot begins with the stack's name.
"""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

Clients = Callable[[str], Any]
SHORTENED = 36  # what is left at least of a stack's name in a bucket's
TAG = "aws:cloudformation:stack-name"


def leftovers(clients: Clients, name: str) -> list[str]:
    """What is kept of a root of this name and of its nested stacks; what may not be asked is left out."""
    found: list[str] = []
    for ask in (tagged, buckets, database_snapshots, warehouse_snapshots):
        try:
            found += ask(clients, name)
        except (ClientError, BotoCoreError):
            continue
    return sorted(set(found))


def tagged(clients: Clients, name: str) -> Iterator[str]:
    """The ARNs of the resources that carry the tag of the root or of a stack nested in it."""
    pages = clients("resourcegroupstaggingapi").get_paginator("get_resources")
    for page in pages.paginate(TagFilters=[{"Key": TAG}]):
        for one in page["ResourceTagMappingList"]:
            tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
            if tags.get(TAG) == name or tags.get(TAG, "").startswith(f"{name}-Nested"):
                arn = str(one["ResourceARN"])
                yield f"bucket {arn.rpartition(':')[2]}" if ":s3:::" in arn else arn


def buckets(clients: Clients, name: str) -> Iterator[str]:
    """The buckets of this Region that CloudFormation has named after a nested stack, cut short."""
    begins, s3 = f"{name}-nested".lower()[:SHORTENED], clients("s3")
    # Without the Region, a namesake's buckets in another one would be told, too (API, ListBuckets).
    for page in s3.get_paginator("list_buckets").paginate(BucketRegion=s3.meta.region_name):
        yield from (f"bucket {one['Name']}" for one in page["Buckets"] if one["Name"].startswith(begins))


def database_snapshots(clients: Clients, name: str) -> Iterator[str]:
    """The final snapshots of databases."""
    for page in clients("rds").get_paginator("describe_db_snapshots").paginate(SnapshotType="manual"):
        for one in page["DBSnapshots"]:
            if one["DBSnapshotIdentifier"].startswith(name.lower()):
                yield f"snapshot {one['DBSnapshotIdentifier']} of database {one['DBInstanceIdentifier']}"


def warehouse_snapshots(clients: Clients, name: str) -> Iterator[str]:
    """The final snapshots of warehouses."""
    pages = clients("redshift").get_paginator("describe_cluster_snapshots")
    for page in pages.paginate(SnapshotType="manual"):
        for one in page["Snapshots"]:
            if one["SnapshotIdentifier"].startswith(name.lower()):
                yield f"snapshot {one['SnapshotIdentifier']} of warehouse {one['ClusterIdentifier']}"
