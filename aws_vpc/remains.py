"""What a deletion takes away and what it leaves, and why: told before anybody agrees to it.

In: the resources of stacks with their deletion policies, and how much the buckets hold. Out: Fate values.
The policies are CloudFormation's (User Guide, «DeletionPolicy attribute»); a cluster or an instance that
has none is deleted with a final snapshot.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

BUCKET = "AWS::S3::Bucket"
SNAPSHOT_BY_DEFAULT = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")


class End(Enum):
    """How a resource ends."""

    GOES = "deleted"
    KEPT = "kept"
    SNAPSHOT = "deleted after a final snapshot"
    PURGED = "emptied and deleted"
    BLOCKS = "not empty"
    TRIED = "deleted, or left standing where it cannot be"


@dataclass(frozen=True)
class Resource:
    """A resource of a stack that is to be deleted; `path` is its logical path below the root."""

    path: tuple[str, ...]
    type: str
    physical_id: str
    policy: str = "Delete"
    objects: int = 0  # that a bucket holds, versions counted

    @property
    def name(self) -> str:
        return "/".join(self.path)


@dataclass(frozen=True)
class Fate:
    """What becomes of a resource."""

    resource: Resource
    end: End

    def values(self) -> dict[str, Any]:
        """The fate for --json."""
        one = self.resource
        return {"path": one.name, "type": one.type, "id": one.physical_id, "end": self.end.value}

    def __str__(self) -> str:
        one = self.resource
        held = f", it holds {one.objects} objects" if one.objects else ""
        why = f" by its policy {one.policy}" if self.end is End.KEPT and one.policy != "Delete" else ""
        return f"{one.name} ({one.type}) {one.physical_id}: {self.end.value}{why}{held}"


def policy(template: Mapping[str, Any], logical: str) -> str:
    """The deletion policy of a resource in a template's Resources section."""
    resource = template.get(logical, {})
    default = "Delete"
    if resource.get("Type") in SNAPSHOT_BY_DEFAULT:
        member = resource.get("Properties", {}).get("DBClusterIdentifier")
        default = "Delete" if member else "Snapshot"
    return str(resource.get("DeletionPolicy", default))


def fate(one: Resource, *, purge: bool, retain: Collection[str]) -> Fate:
    """What becomes of a resource; what its policy retains is never emptied.

    CloudFormation leaves standing what is asked for only where deleting it has failed (API, DeleteStack).
    """
    asked = one.name in retain
    if one.policy.startswith("Retain"):
        return Fate(one, End.KEPT)
    if one.policy == "Snapshot":
        return Fate(one, End.SNAPSHOT)
    if one.type == BUCKET and one.objects:
        return Fate(one, End.KEPT if asked else End.PURGED if purge else End.BLOCKS)
    return Fate(one, End.TRIED if asked else End.GOES)


def fates(found: Iterable[Resource], *, purge: bool = False, retain: Collection[str] = ()) -> list[Fate]:
    """What becomes of every resource."""
    return [fate(one, purge=purge, retain=retain) for one in found]


def summary(found: Iterable[Fate]) -> list[str]:
    """How much goes, and a line for each resource that does not simply go."""
    told = list(found)
    goes = sum(one.end is not End.KEPT for one in told)
    special = [f"  {one}" for one in told if one.end is not End.GOES]
    return [f"{goes} resources go, {len(told) - goes} are kept", *special]
