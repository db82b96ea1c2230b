"""What Redshift Serverless keeps on record beside its servers: snapshots, and the tags of everything."""

from __future__ import annotations

from typing import Any

from aws_vpc.local.service import Answer, Parameters, new_id, now, page, tag_map
from aws_vpc.local.wire import ServiceError


def refused(message: str, code: str = "ValidationException") -> ServiceError:
    """The error for what the service does not take."""
    return ServiceError(code, message)


class Records:
    """The snapshots and tags of one Region."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self._snapshots: dict[str, dict[str, Any]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def snapshot(self, namespace: dict[str, Any], name: str, days: int | None) -> dict[str, Any]:
        """The new snapshot of a namespace."""
        if name in self._snapshots:
            raise refused(f"Snapshot {name} already exists.", "ConflictException")
        kept = ("namespaceName", "namespaceArn", "adminUsername", "kmsKeyId")
        self._snapshots[name] = {
            **{key: namespace[key] for key in kept},
            "snapshotName": name,
            "snapshotArn": f"{self.arn}:snapshot/{new_id('', 32, '0123456789abcdef')}",
            "snapshotCreateTime": now(),
            "snapshotRetentionPeriod": days if days is not None else -1,
            "status": "AVAILABLE",
        }
        return self._snapshots[name]

    def get_snapshot(self, params: Parameters) -> Answer:
        """The snapshot."""
        for each in self._snapshots.values():
            if (
                params.get("snapshotName") == each["snapshotName"]
                or params.get("snapshotArn") == each["snapshotArn"]
            ):
                return {"snapshot": each}
        raise refused(f"Snapshot {params.get('snapshotName')} not found.", "ResourceNotFoundException")

    def list_snapshots(self, params: Parameters) -> Answer:
        """The snapshots, of one namespace when it is named."""
        wanted = params.get("namespaceName")
        found = [each for each in self._snapshots.values() if wanted in (None, each["namespaceName"])]
        return page("snapshots", found, params, "maxResults", "nextToken")

    def delete_snapshot(self, params: Parameters) -> Answer:
        """The snapshot that is gone."""
        snapshot = self.get_snapshot(params)["snapshot"]
        del self._snapshots[snapshot["snapshotName"]]
        return {"snapshot": {**snapshot, "status": "DELETED"}}

    def list_tags_for_resource(self, params: Parameters) -> Answer:
        """The tags of a namespace or workgroup."""
        tags = self._tagged(params)
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def tag_resource(self, params: Parameters) -> Answer:
        """Nothing; the tags are added."""
        self._tagged(params).update(tag_map(params["tags"]))
        return {}

    def untag_resource(self, params: Parameters) -> Answer:
        """Nothing; the tags are removed."""
        for key in params["tagKeys"]:
            self._tagged(params).pop(key, None)
        return {}

    def _tagged(self, params: Parameters) -> dict[str, str]:
        if params["resourceArn"] not in self._tags:
            raise refused(f"Resource {params['resourceArn']} not found.", "ResourceNotFoundException")
        return self._tags[params["resourceArn"]]
