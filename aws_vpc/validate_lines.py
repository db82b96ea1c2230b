"""Where in a template's text a section, a resource or a property stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from aws_vpc.template_parse import Loader

Place = tuple[str, ...]


def lines(text: str) -> dict[Place, int]:
    """The line, from 1, of every key and list member, by its path: ("Parameters", "VpcCidr")."""
    root = yaml.compose(text, Loader)
    return dict(_walk(root, ())) if root else {}


def _walk(node: Any, path: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _walk(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            here = (*path, str(index))
            yield here, value.start_mark.line + 1
            yield from _walk(value, here)


def line_of(known: dict[Place, int], *path: str) -> int:
    """The line of a path, or of the nearest thing around it that stands in the text."""
    while path and path not in known:
        path = path[:-1]
    return known.get(path, 1)
