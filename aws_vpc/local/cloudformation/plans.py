"""What an update would do, worked out without doing it: the body of a change set.

Resources are taken in the order of their dependencies; what will only be known later is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation import nested, waits
from aws_vpc.local.cloudformation.drift import Drift
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.live import Live, drift_of, overlaid
from aws_vpc.local.cloudformation.model import STACK, Definition, Prepared, Resource, Stack
from aws_vpc.local.cloudformation.resources import difference, replaces, stems
from aws_vpc.local.cloudformation.scopes import attribute_now, late, masked, standing
from aws_vpc.local.providers import conditional_create_only
from aws_vpc.template_functions import UNKNOWN, Scope, evaluate, text


@dataclass(frozen=True)
class Change:
    """One resource that would be added, modified or removed."""

    action: str
    logical_id: str
    type: str
    old: Resource | None
    new: Resource | None
    paths: frozenset[str] = frozenset()
    replacement: str = ""  # True, False or Conditional, for Modify
    child: Plan | None = None
    policy: str | None = None
    drift: Drift | None = None  # of a drift-aware change set: how the resource stands

    @property
    def renews(self) -> bool:
        """Whether the physical id may be another afterwards."""
        return self.action == "Add" or self.replacement in ("True", "Conditional")

    def touches(self, attribute: str) -> bool:
        """Whether the attribute may be another afterwards: of a new resource, or a property that changes."""
        return self.renews or attribute.split(".")[0] in {path.split("/")[0] for path in self.paths}


@dataclass(frozen=True)
class Plan:
    """What would become of one stack."""

    stack_id: str
    name: str
    prepared: Prepared
    changes: tuple[Change, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    outputs_change: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing at all would change."""
        return not self.changes and not self.outputs_change


def any_change(engine: Engine, stack: Stack, prepared: Prepared) -> bool:
    """Whether an update to the definition would touch the stack or a nested one."""
    return not plan(engine, stack, prepared).empty


def plan(
    engine: Engine, stack: Stack | None, prepared: Prepared, region: str = "", live: Live | None = None
) -> Plan:
    """The changes from what stands (nothing, for a new stack) to the definition.

    `live`: an empty dictionary asks how every resource stands, and takes the answers.
    """
    return _Planner(engine, stack, prepared, region or (stack.region if stack else ""), live).plan()


class _Planner:
    """The state of one pass over a definition: records as they would be."""

    def __init__(
        self, engine: Engine, stack: Stack | None, prepared: Prepared, region: str, live: Live | None
    ) -> None:
        self.engine, self.stack, self.prepared = engine, stack, prepared
        names = prepared.bound.scope.values
        self.id, self.name = str(names["AWS::StackId"]), str(names["AWS::StackName"])
        self.region = region
        self.old: Mapping[str, Resource] = stack.resources if stack else {}
        self.changes: dict[str, Change] = {}
        self.outputs: dict[str, Mapping[str, Any]] = {}
        self.live = live
        if live is not None and stack is not None:
            live.update({(stack.id, name): drift_of(engine, stack, one) for name, one in self.old.items()})

    def plan(self) -> Plan:
        for logical in self.prepared.bound.order:
            self._resource(logical)
        for logical, gone in self.old.items():
            if logical not in self.prepared.bound.resources and gone.status != "DELETE_COMPLETE":
                self.changes[logical] = Change("Remove", logical, gone.type, gone, None, policy=_policy(gone))
        found, changed = self._outputs()
        return Plan(self.id, self.name, self.prepared, tuple(self.changes.values()), found, changed)

    def scope(self) -> Scope:
        """References to what will change are UNKNOWN, all others answer as things stand."""
        shell = self.stack or _shell(self.id, self.name, self.region, self.engine, self.prepared.definition)
        scope = standing(self.engine, shell, self.prepared.bound.scope, self.old)
        return replace(scope, ref=self._ref, attribute=self._attribute)

    def _ref(self, logical: str) -> Any:
        change, old = self.changes.get(logical), self.old.get(logical)
        return UNKNOWN if old is None or old.physical_id is None or (change and change.renews) else old.ref

    def _attribute(self, logical: str, attribute: str) -> Any:
        change, old = self.changes.get(logical), self.old.get(logical)
        if logical in self.outputs:
            return self.outputs[logical].get(attribute.removeprefix("Outputs."), UNKNOWN)
        if old is None or old.physical_id is None or (change and change.touches(attribute)):
            return UNKNOWN
        found = late(old.type, attribute)
        if found is not None and self._changes(found.by):
            return UNKNOWN
        return attribute_now(self.engine, self.region, old, attribute)

    def _changes(self, type: str) -> bool:
        """Whether resources of the type come or go."""
        wanted = {key for key, one in self.prepared.bound.resources.items() if one["Type"] == type}
        return wanted != {key for key, one in self.old.items() if one.type == type and one.physical_id}

    def _resource(self, logical: str) -> None:
        bound, old = self.prepared.bound, self.old.get(logical)
        new = self._record(logical, bound.resources[logical])
        child = self._child(old, new) if new.type == STACK else None
        if child is not None:
            self.outputs[logical] = child.outputs
        drift = (self.live or {}).get((self.id, logical))
        gone = drift is not None and drift.status == "DELETED"
        if old is None or old.physical_id is None or old.status == "CREATE_FAILED" or gone:
            self.changes[logical] = Change("Add", logical, new.type, None, new, child=child, drift=drift)
            return
        paths = difference(overlaid(old, drift, new.properties).properties, new.properties)
        policies = (old.deletion_policy, old.replace_policy) != (new.deletion_policy, new.replace_policy)
        same = (
            not paths and dict(old.tags) == dict(new.tags) and old.metadata == new.metadata and not policies
        )
        if same and (child is None or child.empty):
            if drift is not None and drift.status == "MODIFIED":  # the template says now what stands
                self.changes[logical] = Change("SyncWithActual", logical, new.type, old, new, drift=drift)
            return
        kind = foreseen(new, paths)
        policy = "ReplaceAnd" + _policy(old, replaced=True) if kind == "True" else None
        self.changes[logical] = Change(
            "Modify", logical, new.type, old, new, frozenset(paths), kind, child, policy, drift
        )

    def _record(self, logical: str, source: Mapping[str, Any]) -> Resource:
        scope = self.scope()
        hidden = masked(scope, self.prepared.definition.parameters)
        properties = evaluate(source.get("Properties", {}), scope)
        return Resource(
            logical, source["Type"], "", properties=properties, source=dict(source),
            shown=properties if hidden is scope else evaluate(source.get("Properties", {}), hidden),
            metadata=evaluate(source.get("Metadata", {}), hidden),
            deletion_policy=source.get("DeletionPolicy", nested.default_policy(source)),
            replace_policy=source.get("UpdateReplacePolicy", "Delete"),
            tags=self.prepared.definition.tags,
        )  # fmt: skip

    def _child(self, old: Resource | None, new: Resource) -> Plan | None:
        """The plan of a nested stack; None when its template's address is not known yet."""
        child = nested.child_of(self.engine, old) if old else None
        if UNKNOWN in str(new.properties.get("TemplateURL", "")):
            return None
        name = child.name if child else f"{self.name}-{new.logical_id}"
        stack_id = child.id if child else UNKNOWN
        shell = self.stack or _shell(self.id, self.name, self.region, self.engine, self.prepared.definition)
        target = nested.child_prepared(self.engine, shell, self.prepared.definition, new, name, stack_id)
        return plan(self.engine, child, target, self.region, self.live if child else None)

    def _outputs(self) -> tuple[dict[str, Any], bool]:
        scope, found, shown = self.scope(), {}, []
        for key, output in self.prepared.bound.outputs.items():
            found[key] = text(evaluate(output["Value"], scope))
            export = evaluate(output["Export"]["Name"], scope) if "Export" in output else None
            shown.append((key, found[key], output.get("Description"), export))
        before = (
            [(one.key, one.value, one.description, one.export) for one in self.stack.outputs]
            if self.stack
            else []
        )
        return found, self.stack is not None and shown != before


def _policy(resource: Resource, replaced: bool = False) -> str:
    stated = resource.replace_policy if replaced else resource.deletion_policy
    return "Retain" if stated == "RetainExceptOnCreate" else stated


def _shell(id: str, name: str, region: str, engine: Engine, definition: Definition) -> Stack:
    return Stack(id, name, region, engine.account, definition, "REVIEW_IN_PROGRESS")


def replacement(type: str, paths: set[str]) -> str:
    """Whether a change at these paths replaces: True, False or Conditional."""
    if not paths or type == STACK:
        return "False"
    if replaces(type, paths):
        return "True"
    if type in waits.WAITS:
        return "False"
    fixed = stems(conditional_create_only, type)
    hit = any(
        path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/")
        for path in paths
        for one in fixed
    )
    return "Conditional" if hit else "False"


def foreseen(new: Resource, paths: set[str]) -> str:
    """Whether the change replaces: Conditional where only values that are not known yet would.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
    """
    static = {path for path in paths if known(new.properties.get(path.split("/")[0]))}
    sure, possible = replacement(new.type, static), replacement(new.type, paths)
    return possible if sure == possible or possible != "True" else "Conditional"


def known(value: Any) -> bool:
    """Whether nothing in the value waits for the update itself."""
    return UNKNOWN not in str(value)


__all__ = ["Change", "Plan", "TemplateError", "any_change", "known", "plan", "replacement"]
