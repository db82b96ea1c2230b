"""AWS::CloudFormation::Stack: a resource that is a stack of its own, run by the same operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation.engine import Engine, suffix
from aws_vpc.local.cloudformation.model import STACK, Definition, Prepared, Resource, Run, Stack
from aws_vpc.local.cloudformation.prepare import prepare, tags_given
from aws_vpc.local.cloudformation.source import fetch, loaded
from aws_vpc.local.providers import ResourceState

if TYPE_CHECKING:
    from aws_vpc.local.cloudformation.resources import Work


def default_policy(source: Mapping[str, Any]) -> str:
    """The deletion policy of a resource that states none: databases of RDS leave a snapshot.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    alone = "DBClusterIdentifier" not in source.get("Properties", {})
    database = source["Type"] == "AWS::RDS::DBInstance" and alone
    return "Snapshot" if database or source["Type"] == "AWS::RDS::DBCluster" else "Delete"


def child_parameters(properties: dict[str, Any]) -> dict[str, str]:
    """The texts a nested stack's Parameters property passes."""
    found = {}
    for key, value in (properties.get("Parameters") or {}).items():
        if isinstance(value, (list, dict)):
            raise TemplateError(
                "Value of property Parameters must be an object with String (or simple type) properties"
            )
        found[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def child_prepared(
    engine: Engine, parent: Stack, definition: Definition, wanted: Resource, name: str, stack_id: str
) -> Prepared:
    """The child's definition under the parent's; the template is read anew each time."""
    properties = wanted.properties
    if not isinstance(properties.get("TemplateURL"), str):
        raise TemplateError("Property TemplateURL cannot be empty.")
    template = loaded(fetch(engine, parent.region, properties["TemplateURL"]))
    return prepare(
        engine, parent.region, name, stack_id, template, child_parameters(properties),
        tags={**definition.tags, **tags_given(properties.get("Tags", ()))},
        capabilities=definition.capabilities,
        notification_arns=[*definition.notification_arns, *properties.get("NotificationARNs", ())],
        role_arn=definition.role_arn,
    )  # fmt: skip


def create(work: Work, wanted: Resource) -> ResourceState:
    """The state of a nested stack that reached CREATE_COMPLETE."""
    from aws_vpc.local.cloudformation import operations  # the two know each other: a stack holds stacks

    engine, parent = work.engine, work.stack
    name = f"{parent.name[: 128 - 14 - len(wanted.logical_id)]}-{wanted.logical_id}-{suffix()}"
    stack_id = engine.new_id(parent.region, name)
    prepared = child_prepared(engine, parent, parent.definition, wanted, name, stack_id)
    timeout = wanted.properties.get("TimeoutInMinutes")
    child = Stack(
        stack_id, name, parent.region, parent.account, prepared.definition, "CREATE_IN_PROGRESS",
        parent_id=parent.id, root_id=parent.root_id or parent.id, parent_logical_id=wanted.logical_id,
        disable_rollback=True, timeout=int(timeout) if timeout else None,
        retain_except_on_create=work.run.retain_except_on_create,
    )  # fmt: skip
    engine.add(child)
    with engine.changed:
        present = work.stack.resources[wanted.logical_id]
        begun = replace(wanted, physical_id=stack_id, reason="Resource creation Initiated")
        if present.status != "CREATE_IN_PROGRESS":  # given up meanwhile
            begun = replace(begun, status=present.status, reason=present.reason)
        engine.put(parent, begun, quiet=present.status != "CREATE_IN_PROGRESS")
    run = child_run(work.run)
    if begun.status != "CREATE_IN_PROGRESS":
        run.cancelled.set()
    engine.begin(child, run)
    operations.create(engine, child, run, prepared.bound)
    if child.status != "CREATE_COMPLETE":
        raise TemplateError(
            f"Embedded stack {stack_id} was not successfully created: {child.reason or child.status}"
        )
    return ResourceState(stack_id, outputs(child))


def child_run(run: Run) -> Run:
    """A run of the same kind and token for a nested stack."""
    return Run(
        run.kind, run.token, disable_rollback=run.disable_rollback, on_failure="DO_NOTHING",
        retain_except_on_create=run.retain_except_on_create, unchecked=run.unchecked, live=run.live,
        express=run.express,
    )  # fmt: skip


def outputs(stack: Stack) -> dict[str, Any]:
    """The attributes of a nested stack: Outputs.Name each."""
    return {f"Outputs.{output.key}": output.value for output in stack.outputs}


def cancel(engine: Engine, stack_id: str) -> None:
    """Give up the present operation of a nested stack."""
    child = engine.stacks.get(stack_id)
    run = child.run if child else None
    if run is not None:
        run.cancel()
        with engine.changed:
            engine.changed.notify_all()


def child_of(engine: Engine, resource: Resource) -> Stack | None:
    """The stack behind a nested stack's resource, deleted ones too."""
    return engine.stacks.get(resource.physical_id or "") if resource.type == STACK else None


def differs(engine: Engine, child: Stack, target: Prepared) -> bool:
    """Whether an update to the target would change anything in the child or below."""
    from aws_vpc.local.cloudformation.plans import any_change

    return any_change(engine, child, target)


def drifted(engine: Engine, child: Stack, live: Mapping[tuple[str, str], Any]) -> bool:
    """Whether a drift that is being reverted is in the child or below."""
    if any(
        stack_id == child.id and drift.status in ("MODIFIED", "DELETED")
        for (stack_id, _), drift in live.items()
    ):
        return True
    below = [found for one in child.resources.values() if (found := child_of(engine, one)) is not None]
    return any(drifted(engine, one, live) for one in below)


def update(work: Work, wanted: Resource, child: Stack, target: Prepared) -> bool:
    """Whether the nested stack is as its new definition says; its cleanup comes with the root's."""
    from aws_vpc.local.cloudformation import operations, resources

    engine, stack = work.engine, work.stack
    resource = engine.put(stack, wanted)

    def act() -> Resource:
        run = child_run(work.run)
        with engine.changed:
            if child.in_progress or child.status in ("DELETE_COMPLETE", "UPDATE_ROLLBACK_FAILED"):
                raise TemplateError(
                    f"Embedded stack {child.id} is in {child.status} state and can not be updated."
                )
            if stack.resources[resource.logical_id].status != "UPDATE_IN_PROGRESS":
                run.cancelled.set()
            engine.begin(child, run)
            engine.set_status(child, "UPDATE_IN_PROGRESS")
        if not operations.forward(engine, child, run, target):
            raise TemplateError(
                f"Embedded stack {child.id} was not successfully updated. Currently in {child.status} "
                f"with reason: {child.reason}"
            )
        return replace(wanted, status="UPDATE_COMPLETE", reason=None, attributes=outputs(child))

    return resources.attempt(work, resource, act, "UPDATE_FAILED")


def restore(engine: Engine, old: Resource, run: Run) -> Resource:
    """The record of a nested stack that is back where it was."""
    from aws_vpc.local.cloudformation import rollback

    child = child_of(engine, old)
    if child is None:
        raise TemplateError(f"Embedded stack {old.physical_id} does not exist")
    if child.before is not None:
        if child.run is None:
            engine.begin(child, Run(run.kind, run.token))
        if child.status != "UPDATE_ROLLBACK_IN_PROGRESS":
            engine.set_status(child, "UPDATE_ROLLBACK_IN_PROGRESS")
        done = rollback.rollback(engine, child, run)
        if child.run is not None:
            engine.finish(child, child.run)
        if not done:
            raise TemplateError(
                f"Embedded stack {child.id} was not successfully updated. Currently in {child.status} "
                f"with reason: {child.reason}"
            )
    return replace(old, attributes=outputs(child))
