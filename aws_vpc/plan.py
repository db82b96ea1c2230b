"""What a stack's status calls for, and what a change set will do.

In: statuses and DescribeChangeSet answers. Out: the next step, the changes, and whether they need consent.

    status             create                       update              teardown
    none               create                       refuse              nothing
    *_IN_PROGRESS      attach, then look again      the same            the same
    CREATE_COMPLETE    nothing                      update              delete
    ROLLBACK_COMPLETE  delete, then create          refuse              delete
    ...                the tables below say the rest
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from aws_vpc.errors import Error


class Step(Enum):
    """What to do next with a stack."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RECREATE = "delete, then create"
    ATTACH = "attach"
    NOTHING = "nothing"
    REFUSE = "refuse"


SETTLED = (
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
)  # fmt: skip
# Stacks that never stood, or no longer do: the only way on is to delete them.
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
# Only planned: a change set was looked at and not executed.
PLANNED = "REVIEW_IN_PROGRESS"
STUCK = ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED")

CREATE: Mapping[str | None, Step] = (
    {None: Step.CREATE, "DELETE_COMPLETE": Step.CREATE, PLANNED: Step.CREATE}
    | dict.fromkeys(SETTLED, Step.NOTHING)
    | dict.fromkeys(DEAD, Step.RECREATE)
    | dict.fromkeys(STUCK, Step.REFUSE)
)
UPDATE: Mapping[str | None, Step] = (
    {None: Step.REFUSE, "DELETE_COMPLETE": Step.REFUSE, PLANNED: Step.REFUSE}
    | dict.fromkeys(SETTLED, Step.UPDATE)
    | dict.fromkeys(DEAD, Step.REFUSE)
    | dict.fromkeys(STUCK, Step.REFUSE)
    # Made without rollback: an update goes on from where the last operation failed.
    | {"UPDATE_FAILED": Step.UPDATE, "CREATE_FAILED": Step.UPDATE}
)
TEARDOWN: Mapping[str | None, Step] = (
    {None: Step.NOTHING, "DELETE_COMPLETE": Step.NOTHING}
    | dict.fromkeys((*SETTLED, *DEAD, *STUCK, PLANNED), Step.DELETE)
)  # fmt: skip
TABLES = {"create": CREATE, "update": UPDATE, "teardown": TEARDOWN}

# Rules, routes and associations hold nothing and nobody refers to them: AWS changes one by making it anew.
RULES = (
    "AWS::EC2::NetworkAclEntry", "AWS::EC2::Route", "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SubnetNetworkAclAssociation",
    "AWS::EC2::SubnetRouteTableAssociation",
)  # fmt: skip

# A release is a new resource; the environment that runs the old one takes it over.
RELEASES = ("AWS::ElasticBeanstalk::ApplicationVersion",)
NESTED = "AWS::CloudFormation::Stack"
TEMPLATE = "AWS::EC2::LaunchTemplate"

# The way out of a state that a command refuses.
WAYS_OUT = {
    None: "./create_stacks.sh makes it",
    "DELETE_COMPLETE": "./create_stacks.sh makes it",
    PLANNED: "./create_stacks.sh makes it",
    "UPDATE_FAILED": "./update_stacks.sh --stack-name {name} goes on, with --continue-rollback it goes back",
    "UPDATE_ROLLBACK_FAILED": "./update_stacks.sh --stack-name {name} --continue-rollback goes on with the"
    " rollback; --skip NAME leaves out a resource that cannot go back",
}


def step(command: str, status: str | None) -> Step:
    """What `command` (create, update, teardown) has to do first with a stack of this status."""
    table = TABLES[command]
    if status in table:
        return table[status]
    if status is not None and status.endswith("_IN_PROGRESS"):
        return Step.ATTACH
    raise Error(f"stack status {status} is not known here; look at the stack in the console before going on")


def refusal(command: str, name: str, status: str | None) -> str:
    """Why `command` does nothing with the stack, and the way out."""
    way_out = WAYS_OUT.get(status, "./create_stacks.sh deletes it and makes it again").format(name=name)
    state = f"is {status}" if status and status != "DELETE_COMPLETE" else "does not exist"
    return f"stack {name} {state}, so {command} cannot go on; {way_out}"


# After an operation that failed: the command that goes on.
NEXT = {
    "ROLLBACK_COMPLETE": "with that put right, ./create_stacks.sh deletes what is left and creates it again",
    "ROLLBACK_FAILED": "with that put right, ./teardown.sh deletes what is left",
    "CREATE_FAILED": "with that put right, ./update_stacks.sh goes on from there",
    "UPDATE_ROLLBACK_COMPLETE": "everything is as before; with that put right, run ./update_stacks.sh again",
    PLANNED: "nobody has agreed to its plan yet; ./create_stacks.sh plans again, ./teardown.sh forgets it",
    "DELETE_FAILED": "with that put right, run ./teardown.sh again; --retain PATH leaves a resource standing,"
    " --purge-data empties a bucket that the stack owns",
}


def next_step(name: str, status: str) -> str:
    """The command that goes on after an operation has failed and left the stack in a status."""
    if status in NEXT:
        return NEXT[status]
    if status in {"UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"}:
        return WAYS_OUT[status].format(name=name)
    return "with that put right, run the same command again"


@dataclass(frozen=True)
class Property:
    """One property that a change set touches; values are None where CloudFormation does not tell them."""

    path: str
    before: str | None = None
    after: str | None = None
    recreation: str = "Never"
    dynamic: bool = False
    removed: bool = False


@dataclass(frozen=True)
class Change:
    """What a change set does to one resource; `path` is its logical path below the root."""

    path: tuple[str, ...]
    type: str
    action: str
    replacement: str = "False"
    policy: str = ""
    drift: str = ""
    properties: tuple[Property, ...] = field(default=())
    id: str = ""  # the physical id of what stands

    @property
    def destroys(self) -> bool:
        """True when the physical resource that stands now goes away or is given up."""
        return self.action == "Remove" or (self.action == "Modify" and self.replaces)

    @property
    def replaces(self) -> bool:
        """True when a property known now, not one that waits for a sibling, forces a replacement."""
        if self.replacement == "False":
            return False
        certain = [part for part in self.properties if part.recreation == "Always" and not part.dynamic]
        return bool(certain) or (self.replacement == "True" and not self.properties)

    @property
    def relaunches(self) -> bool:
        """True for a launch template with a new version, which makes another instance.

        A change set that does not know the version yet does not name the instance.
        """
        return (self.type, self.action) == (TEMPLATE, "Modify") and any(
            "LaunchTemplateData" in part.path for part in self.properties
        )


def changes(answers: Iterable[tuple[tuple[str, ...], Mapping[str, Any]]]) -> list[Change]:
    """The changes in DescribeChangeSet answers, each given with the path of its stack below the root."""
    return [
        change(path, member["ResourceChange"])
        for path, answer in answers
        for member in answer.get("Changes", ())
        if member.get("Type", "Resource") == "Resource"
    ]


def change(path: tuple[str, ...], resource: Mapping[str, Any]) -> Change:
    """The change in a ResourceChange of a stack that stands at `path`."""
    return Change(
        path=(*path, resource["LogicalResourceId"]),
        type=resource.get("ResourceType", ""),
        action=resource.get("Action", ""),
        replacement=str(resource.get("Replacement", "False")),
        policy=resource.get("PolicyAction", ""),
        drift=resource.get("ResourceDriftStatus", ""),
        properties=tuple(properties(resource.get("Details", ()))),
        id=resource.get("PhysicalResourceId", ""),
    )


def properties(details: Iterable[Mapping[str, Any]]) -> Iterator[Property]:
    """The properties in the Details of a ResourceChange, each once.

    A parameter's new value comes as two details: a static one that names it, and a dynamic one.
    """
    found: dict[str, Property] = {}
    for detail in details:
        target = detail.get("Target", {})
        one = Property(
            path=target.get("Path") or target.get("Name") or target.get("Attribute", ""),
            before=target.get("BeforeValue"),
            after=target.get("AfterValue"),
            recreation=target.get("RequiresRecreation", "Never"),
            dynamic=detail.get("Evaluation") == "Dynamic",
            removed=target.get("AttributeChangeType") == "Remove",
        )
        if one.path not in found or found[one.path].dynamic:
            found[one.path] = one
    yield from found.values()


def destroyed(found: Sequence[Change]) -> list[Change]:
    """The changes that need consent: something that stands goes away, and is more than a rule or a release.

    A nested change set marks whatever reads a sibling's output as a possible replacement. An output
    moves only when something it comes from is replaced for a reason known now, so without such a
    change the possible ones are not real; with one, consent is asked anyway.
    """
    anew = RULES + RELEASES
    return [
        one
        for one in found
        if (one.destroys and (one.action == "Remove" or one.type not in anew)) or one.relaunches
    ]


def given_up(found: Iterable[Change]) -> list[str]:
    """The logical ids of the nested stacks that leave the root and that their policy would keep."""
    return [one.path[0] for one in found if is_given_up(one)]


def is_given_up(change: Change) -> bool:
    """True for a nested stack of the root that an update would leave standing outside it."""
    kept = change.policy.startswith("Retain")
    return change.action == "Remove" and change.type == NESTED and len(change.path) == 1 and kept


def with_deletions(found: Iterable[Change]) -> list[Change]:
    """The changes as they end: a nested stack that is given up is deleted after the update."""
    return [replace(one, policy="Delete") if is_given_up(one) else one for one in found]


def uses(stacks: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]]) -> dict[str, set[str]]:
    """Which stack needs which, from parameters and outputs: a parameter has the name of what feeds it.

    A stack that puts out what it was given itself is not the maker of it.
    """
    made = {name: dict(outputs.items() - given.items()) for name, (given, outputs) in stacks.items()}
    return {
        user: {
            maker
            for maker, outputs in made.items()
            if maker != user and any(outputs.get(key) == value for key, value in parameters.items() if value)
        }
        for user, (parameters, _) in stacks.items()
    }


def is_empty(reason: str) -> bool:
    """True when a change set, or an update, failed because there is nothing to change."""
    return any(text in reason for text in ("didn't contain changes", "No updates are to be performed"))


def is_nested_failure(reason: str) -> bool:
    """True when only the change set of a nested stack could not be made; the root's own still can."""
    return "ested change set" in reason


def teardown_order(children: Iterable[str], dependencies: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """`children` in waves: each wave may go at once, after everything that uses it has gone."""
    left = set(children)
    waves = []
    while left:
        used = {needed for child in left for needed in reachable(child, dependencies)} & left
        wave = sorted(left - used)
        if not wave:
            raise Error(f"the stacks {', '.join(sorted(left))} depend on each other in a circle")
        waves.append(wave)
        left -= set(wave)
    return waves


def reachable(start: str, dependencies: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything that `start` needs, directly or through others."""
    found: set[str] = set()
    waiting = list(dependencies.get(start, ()))
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(dependencies.get(current, ()))
    return found
