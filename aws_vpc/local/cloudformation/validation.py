"""Pre-deployment validation: what a template asks is checked before anything is made.

PROPERTY_VALIDATION       properties beside the schema of their type         FAIL
NAME_CONFLICT_VALIDATION  a new resource's own name that another one bears   FAIL
BUCKET_EMPTINESS_VALIDATION  a bucket that would go still holds objects      WARN, change sets only
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.cloudformation import resources, waits
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import STACK, ChangeSet, Prepared, Resource, Run, Stack, Validation
from aws_vpc.local.cloudformation.property_schema import later, misfits
from aws_vpc.local.cloudformation.reasons import failed
from aws_vpc.local.providers import PROVIDERS, read, schema
from aws_vpc.template import Bound, foreseen

HOOKS = {
    "PROPERTY_VALIDATION": "AWS::EarlyValidation::PropertyValidation",
    "NAME_CONFLICT_VALIDATION": "AWS::EarlyValidation::ResourceExistenceCheck",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one resource before it is touched."""

    name: str
    logical_id: str
    type: str
    path: str  # in the template
    reason: str
    message: str
    mode: str = "FAIL"
    physical_id: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


def findings(engine: Engine, stack: Stack, bound: Bound) -> list[Finding]:
    """What speaks against a create or an update of the stack."""
    return [
        *property_findings(bound),
        *(
            found
            for logical, properties in foreseen(bound).items()
            for found in name_conflict(engine, stack, logical, bound.resources[logical]["Type"], properties)
        ),
    ]


def property_findings(bound: Bound) -> Iterator[Finding]:
    """Properties that their types do not have, lack, or have of another kind."""
    for logical, properties in foreseen(bound).items():
        kind = bound.resources[logical]["Type"]
        for one in misfits(kind, properties):
            yield Finding(
                "PROPERTY_VALIDATION", logical, kind, f"/Resources/{logical}/Properties{one.path}",
                one.reason, one.message, properties=properties,
            )  # fmt: skip


OF_OTHERS = ("AWS::S3::BucketPolicy",)  # identified by what they belong to


def name_conflict(
    engine: Engine, stack: Stack, logical: str, kind: str, properties: dict[str, Any]
) -> Iterator[Finding]:
    """The name that the template gives a new resource or a replacement, when something bears it already."""
    provider = PROVIDERS.get(kind)
    if provider is None or kind in (STACK, *waits.WAITS) or not provider.readable:
        return
    try:
        identifier = [path.removeprefix("/properties/") for path in schema(kind).get("primaryIdentifier", ())]
    except KeyError:
        return
    name = properties.get(identifier[0]) if len(identifier) == 1 else None
    old = stack.resources.get(logical)
    borne = old is not None and old.physical_id and old.properties.get(identifier[0]) == name
    if borne or not isinstance(name, str) or later(name) or kind in OF_OTHERS:
        return
    record = Resource(logical, kind, "", physical_id=name, properties={identifier[0]: name})
    request = resources.request(resources.Work(engine, stack, Run(""), resources.NOTHING, set()), record)
    try:
        taken = read(provider.describe, request) is not None
    except Exception:  # whoever cannot look finds out when the resource is made
        return
    if taken:
        said = f"Resource of type '{kind}' with identifier '{name}' already exists."
        yield Finding(
            "NAME_CONFLICT_VALIDATION", logical, kind, f"/Resources/{logical}", said,
            f"{name} already exists in stack or account", physical_id=name, properties=properties,
        )  # fmt: skip


def bucket_warnings(engine: Engine, stack: Stack | None, changes: Iterable[Any]) -> Iterator[Finding]:
    """Buckets that a change set would delete although they hold objects."""
    for change in changes:
        old = change.old
        if stack is None or old is None or old.type != "AWS::S3::Bucket":
            continue
        if change.action != "Remove" or old.deletion_policy != "Delete":
            continue
        try:
            held = engine.client("s3", stack.region).list_object_versions(Bucket=old.physical_id, MaxKeys=1)
        except ClientError:
            continue
        if held.get("Versions") or held.get("DeleteMarkers"):
            said = (
                f"The bucket '{old.physical_id}' is not empty. You must either delete all objects and "
                "versions or use the deletion policy to retain it, otherwise the delete operation will fail."
            )
            yield Finding(
                "BUCKET_EMPTINESS_VALIDATION", old.logical_id, old.type, f"/Resources/{old.logical_id}",
                said, said, "WARN", str(old.physical_id), old.shown,
            )  # fmt: skip


def note(engine: Engine, stack: Stack, operation_id: str, kind: str, found: Iterable[Finding]) -> None:
    """Nothing; what was found is told by DescribeEvents, under the operation."""
    with engine.changed:
        stack.validations.extend(
            Validation(
                operation_id, kind, one.logical_id, one.physical_id, one.type, one.name, one.mode,
                one.reason, one.path,
            )
            for one in found
        )  # fmt: skip


def refuse(work: resources.Work) -> str | None:
    """None when the work may begin, or the sentence about the resources that validation refuses."""
    engine, stack, run = work.engine, work.stack, work.run
    if run.unchecked:
        return None
    found = findings(engine, stack, work.bound)
    if not found:
        return None
    note(engine, stack, run.id, run.kind, found)
    stack.detailed = "VALIDATION_FAILED"
    verb = "create" if stack.status.startswith("CREATE") else "update"
    by_resource: dict[str, list[Finding]] = {}
    for one in found:
        by_resource.setdefault(one.logical_id, []).append(one)
    verbs: dict[str, list[str]] = {"create": [], "update": []}
    for logical, ones in by_resource.items():
        old = stack.resources.get(logical)
        verb = "create" if old is None or old.physical_id is None else "update"
        verbs[verb].append(logical)
        base = old or resources.record(work, logical, "CREATE_FAILED")
        engine.put(stack, replace(base, status=f"{verb.upper()}_FAILED", reason=reason(logical, ones)))
    return failed(verbs.items())


def reason(logical: str, found: list[Finding]) -> str:
    """The status reason of a resource that validation refuses."""
    if any(one.name != "PROPERTY_VALIDATION" for one in found):
        return "\n".join(one.message for one in found)
    said = "\n".join(one.message for one in found)
    if said.startswith("Encountered"):
        return said
    return f"Properties validation failed for resource {logical} with message:\n{said}"


def refuse_change_set(
    engine: Engine, stack: Stack, change_set: ChangeSet, prepared: Prepared, changes: Iterable[Any]
) -> str | None:
    """None when the change set may be executed, or the sentence that names the validations that failed."""
    if change_set.options.get("DisableValidation"):
        return None
    found = findings(engine, stack, prepared.bound)
    warned = bucket_warnings(engine, stack if change_set.kind == "UPDATE" else None, changes)
    note(engine, stack, change_set.operation_id, "CREATE_CHANGESET", [*found, *warned])
    hooks = sorted({HOOKS[one.name] for one in found if one.mode == "FAIL"})
    if not hooks:
        return None
    return (
        f"The following hook(s)/validation failed: [{', '.join(hooks)}]. To troubleshoot Early Validation "
        "errors, use the DescribeEvents API for detailed failure information."
    )
