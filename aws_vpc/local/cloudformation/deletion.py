"""Deleting: one resource by its policy, what an update leaves behind, a whole stack in reverse order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation import durations, nested, resources, waits
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import STACK, Leaving, Resource, Run, Stack, now
from aws_vpc.local.cloudformation.reasons import failed, reason_of
from aws_vpc.local.cloudformation.walk import Walk


def graph_of(records: Iterable[Resource]) -> dict[str, set[str]]:
    """What each recorded resource depends on."""
    found = {record.logical_id: set(record.depends) for record in records}
    return {name: needs & found.keys() for name, needs in found.items()}


def reversed_graph(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """For each name those that depend on it: what has to go first."""
    found: dict[str, set[str]] = {name: set() for name in graph}
    for name, needs in graph.items():
        for need in needs:
            found[need].add(name)
    return found


def delete(engine: Engine, stack: Stack, run: Run, retain: Collection[str] = (), force: bool = False) -> None:
    """Nothing; the stack is gone, or DELETE_FAILED with the resources that are left."""
    try:
        engine.set_status(stack, "DELETE_IN_PROGRESS", None if stack.parent_id else "User Initiated")
        remove_all(engine, stack, run, retain=retain)
        if force:  # what still cannot go stays behind
            for one in [one for one in stack.resources.values() if one.status == "DELETE_FAILED"]:
                engine.put(stack, replace(one, status="DELETE_SKIPPED", reason=None))
        conclude(engine, stack, "DELETE")
    finally:
        engine.finish(stack, run)


def remove_all(
    engine: Engine, stack: Stack, run: Run, *, created: bool = False, retain: Collection[str] = ()
) -> None:
    """Nothing; every resource that can go is gone, what depends on others first."""
    # What an interrupted update left behind goes too, under names of its own.
    remove_left(engine, stack, run)
    graph = reversed_graph(graph_of(stack.resources.values()))
    policies = {name: record.deletion_policy for name, record in stack.resources.items()}
    for name in retain:
        policies[name] = "Retain"

    def act(logical: str) -> bool:
        return remove(
            engine, stack, run, Leaving(stack.resources[logical], policies[logical], created), keep=True
        )

    Walk(graph, act, keep_going=True, width=engine.width).run()


def conclude(engine: Engine, stack: Stack, kind: str) -> None:
    """The stack's last status after its resources went, DELETE_* or ROLLBACK_*."""
    left = [one.logical_id for one in stack.resources.values() if one.status == "DELETE_FAILED"]
    with engine.changed:
        if left:
            engine.set_status(stack, f"{kind}_FAILED", failed([("delete", left)]))
            return
        if kind == "DELETE":
            stack.deleted = now()
            stack.outputs, stack.imports = (), frozenset()
        engine.set_status(stack, f"{kind}_COMPLETE")
        if kind == "DELETE":
            engine.forget_name(stack)


def remove_left(engine: Engine, stack: Stack, run: Run) -> None:
    """Nothing; what the stack's update leaves behind is deleted. A failure here does not fail the update."""
    left = list(stack.leaving)
    by_id = {f"{one.resource.logical_id} {one.resource.physical_id}": one for one in left}
    graph = {
        key: {
            other
            for other, needs in by_id.items()
            if one.resource.logical_id in needs.resource.depends and other != key
        }
        for key, one in by_id.items()
    }

    def act(key: str) -> bool:
        one = by_id[key]
        present = stack.resources.get(one.resource.logical_id)
        keep = present is not None and present.physical_id == one.resource.physical_id
        gone = remove(engine, stack, run, one, keep=keep)
        if gone and keep:
            with engine.changed:
                stack.resources.pop(one.resource.logical_id, None)
        return gone

    Walk(graph, act, keep_going=True, width=engine.width).run()
    stack.leaving = []


def remove(engine: Engine, stack: Stack, run: Run, leaving: Leaving, *, keep: bool) -> bool:
    """Whether the resource is gone or kept on purpose. `keep`: its record stays the stack's."""
    resource = leaving.resource

    def tell(status: str, reason: str | None = None) -> None:
        record = replace(resource, status=status, reason=reason)
        if keep:
            engine.put(stack, record)
        else:
            engine.tell(stack, record)

    if resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
        return True
    if resource.physical_id is None:
        tell("DELETE_COMPLETE")
        return True
    if retained(leaving, run):
        tell("DELETE_SKIPPED")
        return True
    tell("DELETE_IN_PROGRESS")
    try:
        destroy(engine, stack, run, leaving)
    except Exception as error:
        tell("DELETE_FAILED", reason_of(error, resource.logical_id, resource.type))
        return False
    tell("DELETE_COMPLETE")
    return True


def retained(leaving: Leaving, run: Run) -> bool:
    """Whether the policy keeps the resource."""
    if leaving.policy == "RetainExceptOnCreate":
        return not leaving.created
    return leaving.policy == "Retain" and not (leaving.created and run.retain_except_on_create)


def destroy(engine: Engine, stack: Stack, run: Run, leaving: Leaving) -> None:
    """Nothing; the physical resource is gone, after its snapshot when the policy wants one."""
    resource = leaving.resource
    if resource.type == STACK:
        _destroy_stack(engine, leaving, run)
        return
    if resource.type in waits.WAITS:
        return
    work = resources.Work(engine, stack, run, resources.NOTHING, set())
    request, provider = resources.request(work, resource), resources.provider_of(resource)
    if leaving.policy == "Snapshot" and not leaving.created:
        provider.snapshot(request)
    provider.delete(request)
    waits.elapse(engine, durations.seconds(resource.type).delete)


def _destroy_stack(engine: Engine, leaving: Leaving, run: Run) -> None:
    child = nested.child_of(engine, leaving.resource)
    if child is None or child.status == "DELETE_COMPLETE":
        return
    refuse_exports_in_use(engine, child)
    child_run = Run("DELETE_STACK", run.token, retain_except_on_create=run.retain_except_on_create)
    engine.begin(child, child_run)
    delete_child(engine, child, child_run, leaving.created)
    if child.status != "DELETE_COMPLETE":
        raise TemplateError(f"Embedded stack {child.id} was not successfully deleted: {child.reason}")


def delete_child(engine: Engine, child: Stack, run: Run, created: bool) -> None:
    """Nothing; the nested stack is gone or DELETE_FAILED. `created`: by the operation being undone."""
    try:
        engine.set_status(child, "DELETE_IN_PROGRESS")
        remove_all(engine, child, run, created=created)
        conclude(engine, child, "DELETE")
    finally:
        engine.finish(child, run)


def refuse_exports_in_use(engine: Engine, stack: Stack) -> None:
    """Nothing; TemplateError when another stack imports what this one exports."""
    for output in stack.outputs:
        users = [name for name in engine.importers(stack.region, output.export or "") if name != stack.name]
        if output.export and users:
            raise TemplateError(
                f"Delete canceled. Cannot delete export {output.export} as it is in use by "
                f"{' and '.join(users)}."
            )
