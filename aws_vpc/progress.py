"""The live tree of stacks at work: events folded into nodes, nodes drawn by rich.

In: events, the time, the room there is. Out: a rich renderable. While there is no room for every
resource, stacks that are done are drawn as one line.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from aws_vpc.events import STACK, Event, finished
from aws_vpc.report import one_line


@dataclass(frozen=True)
class Node:
    """What is known of one resource or stack."""

    path: tuple[str, ...]
    type: str
    status: str
    began: datetime
    changed: datetime
    reason: str = ""

    @property
    def seconds(self) -> float:
        return (self.changed - self.began).total_seconds()

    @property
    def busy(self) -> bool:
        return not finished(self.status)


@dataclass
class Progress:
    """The nodes of one operation, in the order in which they began."""

    nodes: dict[tuple[str, ...], Node] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Takes an event into account; what a stack says of itself wins over what its parent says."""
        known = self.nodes.get(event.path)
        again = known is None or (finished(known.status) and not event.done)
        began = event.timestamp if known is None or again else known.began
        failed = event.reason if event.failed else ""
        node = Node(event.path, event.type, event.status, began, event.timestamp, failed)
        if known and known.reason and not failed:
            node = replace(node, reason=known.reason)
        self.nodes[event.path] = node

    def below(self, path: tuple[str, ...]) -> list[Node]:
        """The resources and stacks directly inside a stack."""
        depth = len(path) + 1
        return [node for node in self.nodes.values() if len(node.path) == depth and node.path[:-1] == path]

    def inside(self, path: tuple[str, ...]) -> list[Node]:
        """The resources anywhere inside a stack, nested stacks not counted."""
        depth = len(path)
        return [
            node
            for node in self.nodes.values()
            if len(node.path) > depth and node.path[:depth] == path and node.type != STACK
        ]

    def roots(self) -> list[Node]:
        """The stacks that are followed from the top."""
        return [node for node in self.nodes.values() if len(node.path) == 1]


def style(status: str) -> str:
    """The colour of a status."""
    if "FAILED" in status:
        return "bold red"
    if "ROLLBACK" in status:
        return "yellow"
    if status.endswith("_IN_PROGRESS"):
        return "cyan"
    return "dim" if status.startswith("DELETE") else "green"


def label(node: Node, now: datetime, resources: Iterable[Node] = ()) -> Text:
    """A node's line: name, type or count of resources, status, seconds, and why it failed."""
    inside = list(resources)
    seconds = (now - node.began).total_seconds() if node.busy else node.seconds
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(node.path[-1], "bold" if node.type == STACK else "")
    if inside:
        done = sum(not one.busy for one in inside)
        text.append(f"  {done}/{len(inside)}", "dim")
    elif node.type != STACK:
        text.append(f"  {node.type}", "dim")
    text.append(f"  {node.status}", style(node.status))
    text.append(f"  {max(0.0, seconds):.1f}s", "dim")
    if node.reason:
        text.append(f"  {one_line(node.reason)}", "red")
    return text


def draw(progress: Progress, now: datetime, room: int | None = None) -> RenderableType:
    """The tree of every stack; with `room` for fewer lines than nodes, finished stacks are closed."""
    closed = room is not None and len(progress.nodes) > room
    trees: list[RenderableType] = []
    for root in progress.roots():
        tree = Tree(label(root, now, progress.inside(root.path)))
        grow(tree, progress, root.path, now, closed)
        trees.append(tree)
    if room is not None:
        trees.append(slowest(progress, now))
    return Group(*trees)


def grow(tree: Tree, progress: Progress, path: tuple[str, ...], now: datetime, closed: bool) -> None:
    """Adds what is inside the stack at `path` to its tree."""
    for node in progress.below(path):
        branch = tree.add(label(node, now, progress.inside(node.path)))
        if node.type == STACK and (node.busy or not closed):
            grow(branch, progress, node.path, now, closed)


def slowest(progress: Progress, now: datetime, most: int = 3) -> Text:
    """One line: the resources that have been at work the longest."""
    busy = [node for node in progress.nodes.values() if node.busy and node.type != STACK]
    busy.sort(key=lambda node: node.began)
    names = [f"{node.path[-1]} {(now - node.began).total_seconds():.0f}s" for node in busy[:most]]
    return Text(f"{len(busy)} at work: {', '.join(names)}" if busy else "", "dim", no_wrap=True)
