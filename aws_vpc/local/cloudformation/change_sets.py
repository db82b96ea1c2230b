"""Change sets: what would change, worked out in the background, kept, executed or deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_vpc.errors import Error
from aws_vpc.local.cloudformation import api_write, plans, shapes, tokens, validation
from aws_vpc.local.cloudformation.api_read import page
from aws_vpc.local.cloudformation.details import change_shape, details
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import ChangeSet, Definition, Prepared, Stack, now
from aws_vpc.local.cloudformation.notifications import refuse_topics
from aws_vpc.local.wire import ServiceError
from aws_vpc.template import Template

Params = dict[str, Any]
Detailed = tuple[plans.Change, list[Params]]  # a change, and why and how each property changes
NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


def create_change_set(engine: Engine, region: str, params: Params) -> Params:
    """The change set's id; its content is worked out in the background."""
    token = {**params, "ClientRequestToken": params.get("ClientToken")}
    if known := tokens.repeated(engine, "CreateChangeSet", token):
        return known
    kind, name = params.get("ChangeSetType") or "UPDATE", params["StackName"]
    if kind == "IMPORT":
        raise api_write.refuse("ChangeSetType IMPORT is not part of the embedded AWS", "UnsupportedOperation")
    if params.get("ImportExistingResources"):
        said = "ImportExistingResources is not part of the embedded AWS"
        raise api_write.refuse(said, "UnsupportedOperation")
    if params.get("OnStackFailure") == "DELETE" and kind != "CREATE":
        raise api_write.refuse("OnStackFailure DELETE is only valid when ChangeSetType is CREATE")
    if params.get("DeploymentMode") and kind != "UPDATE":
        raise api_write.refuse("DeploymentMode REVERT_DRIFT is only supported for change sets of type UPDATE")
    stack = _new(engine, region, params) if kind == "CREATE" else engine.standing(name, region)
    _refuse(stack, params, kind)
    try:
        prepared = _prepared(engine, stack, params, kind)
    except (Error, ServiceError):
        if (
            kind == "CREATE"
            and not stack.change_sets
            and stack.status == "REVIEW_IN_PROGRESS"
            and not stack.events
        ):
            engine.forget_name(stack)
            engine.stacks.pop(stack.id, None)
        raise
    change_set = ChangeSet(
        engine.new_id(region, params["ChangeSetName"], "changeSet"), params["ChangeSetName"], stack.id, kind,
        description=params.get("Description"), nested=bool(params.get("IncludeNestedStacks")),
        on_failure=params.get("OnStackFailure"), prepared=prepared, options=params,
        live={} if params.get("DeploymentMode") == "REVERT_DRIFT" else None,
    )  # fmt: skip
    with engine.changed:
        if kind == "CREATE" and not stack.events:
            stack.definition = prepared.definition
            engine.set_status(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        stack.change_sets[change_set.name] = change_set
    api_write.background(lambda: compute(engine, stack, change_set), f"change-set-{change_set.name}")
    return tokens.remember(engine, "CreateChangeSet", token, {"Id": change_set.id, "StackId": stack.id})


def _new(engine: Engine, region: str, params: Params) -> Stack:
    """The stack under review that a CREATE change set belongs to."""
    name = params["StackName"]
    named = name.startswith("arn:")
    if not named:
        api_write.check_name(name)
    with engine.changed:
        if named or (region, name) in engine.names:
            stack = engine.standing(name, region)
            if stack.status != "REVIEW_IN_PROGRESS":
                raise api_write.refuse(
                    f"Stack [{name}] already exists and cannot be created again with the changeSet "
                    f"[{params['ChangeSetName']}]."
                )
            return stack
        nothing = Definition(Template("", {}), {})
        stack = Stack(
            engine.new_id(region, name), name, region, engine.account, nothing, "REVIEW_IN_PROGRESS"
        )
        engine.add(stack)
        return stack


def _refuse(stack: Stack, params: Params, kind: str) -> None:
    if kind == "UPDATE" and stack.status == "REVIEW_IN_PROGRESS":
        raise api_write.refuse(f"Stack:{stack.id} is in REVIEW_IN_PROGRESS state and can not be updated.")
    if kind == "UPDATE":
        api_write.refuse_update(stack)
    if params["ChangeSetName"] in stack.change_sets:
        message = f"ChangeSet {params['ChangeSetName']} already exists"
        raise api_write.refuse(message, "AlreadyExistsException")


def _prepared(engine: Engine, stack: Stack, params: Params, kind: str) -> Prepared:
    if kind == "CREATE":
        return api_write.prepared_new(engine, stack.region, stack.name, stack.id, params)
    prepared = api_write.prepared_update(engine, stack, params)
    api_write.refuse_retyped(stack, prepared.bound)
    return prepared


def compute(engine: Engine, stack: Stack, change_set: ChangeSet) -> None:
    """Nothing; the change set is CREATE_COMPLETE with its changes, or FAILED with the reason."""
    try:
        assert change_set.prepared is not None
        before = None if change_set.kind == "CREATE" else stack
        plan = plans.plan(engine, before, change_set.prepared, stack.region, change_set.live)
    except Exception as error:
        _fail(engine, change_set, str(error))
        return
    refused = validation.refuse_change_set(engine, stack, change_set, change_set.prepared, plan.changes)
    with engine.changed:
        if plan.empty or refused:
            _fail(engine, change_set, NO_CHANGES if plan.empty else str(refused))
            return
        change_set.changes = list(plan.changes)
        if change_set.nested:
            _nest(engine, change_set, plan, change_set.id)
        change_set.status, change_set.execution, change_set.ended = "CREATE_COMPLETE", "AVAILABLE", now()
        engine.changed.notify_all()


def _fail(engine: Engine, change_set: ChangeSet, reason: str) -> None:
    with engine.changed:
        change_set.status, change_set.execution, change_set.reason = "FAILED", "UNAVAILABLE", reason
        change_set.ended = now()
        engine.changed.notify_all()


def _nest(engine: Engine, parent: ChangeSet, plan: plans.Plan, root: str) -> None:
    """A change set of its own for every nested stack that changes."""
    for change in plan.changes:
        child = change.child
        if child is None or child.empty:
            continue
        name = f"{parent.name[:90]}-{change.logical_id}"[:128]
        stack_id = child.stack_id if change.action == "Modify" else ""
        change_id = engine.new_id(parent.id.split(":")[3], name, "changeSet")
        made = ChangeSet(
            change_id, name, stack_id, "UPDATE" if stack_id else "CREATE", "CREATE_COMPLETE", "AVAILABLE",
            nested=True, prepared=child.prepared, changes=list(child.changes), parent_id=parent.id,
            root_id=root,
            options={"StackName": child.name},
        )  # fmt: skip
        parent.options.setdefault("Children", {})[change.logical_id] = made
        _nest(engine, made, child, root)


def every(change_sets: Any) -> Iterator[ChangeSet]:
    """The change sets and, below them, those of nested stacks."""
    for one in list(change_sets):
        yield one
        yield from every(one.options.get("Children", {}).values())


def find(engine: Engine, region: str, params: Params) -> ChangeSet:
    """The change set by ARN, or by name and stack; ChangeSetNotFound when there is none."""
    name = params["ChangeSetName"]
    with engine.changed:
        if name.startswith("arn:"):
            for stack in engine.stacks.values():
                for one in every(stack.change_sets.values()):
                    if one.id == name:
                        return one
        elif not params.get("StackName"):
            raise api_write.refuse("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            stack = engine.standing(params["StackName"], region)
            if name in stack.change_sets:
                return stack.change_sets[name]
    raise ServiceError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def describe_change_set(engine: Engine, region: str, params: Params) -> Params:
    """The change set, its changes a page at a time."""
    one = find(engine, region, params)
    stack = engine.stacks.get(one.stack_id)
    definition = one.prepared.definition if one.prepared else Definition(Template("", {}), {})
    children = one.options.get("Children", {})
    values = bool(params.get("IncludePropertyValues"))
    worked_out = [(change, details(change, one.prepared, stack, values)) for change in one.changes]
    shown, more = page(told(worked_out) if values else worked_out, params)
    return shapes.without_none({
        "ChangeSetName": one.name, "ChangeSetId": one.id, "StackId": one.stack_id,
        "StackName": stack.name if stack else one.options.get("StackName"),
        "Description": one.description, "Parameters": shapes.parameter_list(definition) or None,
        "CreationTime": one.created, "ExecutionStatus": one.execution, "Status": one.status,
        "StatusReason": one.reason, "NotificationARNs": list(definition.notification_arns),
        "RollbackConfiguration": one.options.get("RollbackConfiguration") or {},
        "DeploymentConfig": one.options.get("DeploymentConfig"),
        "Capabilities": list(definition.capabilities),
        "Tags": shapes.tag_list(definition.tags) or None,
        "Changes": [
            change_shape(change, found, children.get(change.logical_id), values) for change, found in shown
        ],
        "IncludeNestedStacks": one.nested, "ParentChangeSetId": one.parent_id, "RootChangeSetId": one.root_id,
        "OnStackFailure": one.on_failure, "DeploymentMode": one.options.get("DeploymentMode"),
        "StackDriftStatus": drift_status(one), **more,
    })  # fmt: skip


def told(worked_out: list[Detailed]) -> list[Detailed]:
    """The changes that are told among property values: none that only follows others made in place."""
    kept = {each.logical_id for each, _ in worked_out if not each.renews}

    def only_follows(change: plans.Change, found: list[Params]) -> bool:
        if change.action != "Modify" or change.replacement != "False" or change.drift or change.child:
            return False
        causes = {str(each.get("CausingEntity", "")).split(".")[0] for each in found}
        dynamic = all(each["ChangeSource"] == "ResourceAttribute" for each in found)
        return bool(found) and dynamic and causes <= kept

    return [each for each in worked_out if not only_follows(*each)]


def drift_status(one: ChangeSet) -> str | None:
    """What a drift-aware change set says of its stack."""
    if one.live is None:
        return None
    found = {drift.status for (stack_id, _), drift in one.live.items() if stack_id == one.stack_id}
    return "DRIFTED" if found & {"MODIFIED", "DELETED"} else "UNKNOWN" if "UNKNOWN" in found else "IN_SYNC"


def list_change_sets(engine: Engine, region: str, params: Params) -> Params:
    """The change sets of a stack."""
    stack = engine.standing(params["StackName"], region)
    found, more = page(list(stack.change_sets.values()), params)
    return {"Summaries": [_summary(stack, one) for one in found], **more}


def _summary(stack: Stack, one: ChangeSet) -> Params:
    return shapes.without_none({
        "StackId": stack.id, "StackName": stack.name, "ChangeSetId": one.id, "ChangeSetName": one.name,
        "ExecutionStatus": one.execution, "Status": one.status, "StatusReason": one.reason,
        "CreationTime": one.created, "Description": one.description, "IncludeNestedStacks": one.nested,
    })  # fmt: skip


def execute_change_set(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the stack's creation or update goes on."""
    token = {**params, "StackName": params.get("StackName", "")}
    if tokens.repeated(engine, "ExecuteChangeSet", token) is not None:
        return {}
    one = find(engine, region, params)
    if one.parent_id:
        raise api_write.refuse(
            "ExecuteChangeSet must be called on the root change set", "InvalidChangeSetStatus"
        )
    stack, prepared, options = engine.stacks[one.stack_id], one.prepared, {**one.options, **params}
    refuse_topics(engine.client, options.get("NotificationARNs") or ())
    with engine.changed:
        if one.execution != "AVAILABLE" or prepared is None:
            made = one.status == "CREATE_COMPLETE"
            state = f"execution status of [{one.execution}]" if made else f"status of [{one.status}]"
            message = f"ChangeSet [{one.id}] cannot be executed in its current {state}"
            raise api_write.refuse(message, "InvalidChangeSetStatus")
        if one.on_failure and "DisableRollback" in params:
            raise api_write.refuse(
                "DisableRollback cannot be specified: OnStackFailure was, when the change set was created"
            )
        if one.kind == "CREATE":
            stack.status, stack.definition = "CREATE_IN_PROGRESS", prepared.definition
            stack.updated = now()
            stack.disable_rollback = api_write.rollback_off(options) or one.on_failure == "DO_NOTHING"
            stack.express = api_write.express(options)
            stack.rollback_configuration = options.get("RollbackConfiguration") or {}
            stack.retain_except_on_create = bool(params.get("RetainExceptOnCreate"))
            api_write.begin_create(engine, stack, prepared, options)
        else:
            api_write.begin_update(engine, stack, prepared, options, one.live)
        stack.change_set_id = one.id
        stack.change_sets.clear()  # executed, or about what is no more
        one.execution = "EXECUTE_COMPLETE"
        stack.change_sets[one.name] = one
    return tokens.remember(engine, "ExecuteChangeSet", token, {})


def delete_change_set(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the change set is gone."""
    try:
        one = find(engine, region, params)
    except ServiceError as error:
        if error.code == "ChangeSetNotFound":
            return {}
        raise
    if one.execution == "EXECUTE_IN_PROGRESS":
        raise api_write.refuse(f"ChangeSet [{one.id}] is being executed", "InvalidChangeSetStatus")
    with engine.changed:
        for stack in engine.stacks.values():
            if stack.change_sets.get(one.name) is one:
                del stack.change_sets[one.name]
    return {}
