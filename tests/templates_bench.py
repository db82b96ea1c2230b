"""The templates as their authors write them, and ways to go through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aws_vpc.template_parse import parse

FOLDER = Path(__file__).parent.parent / "templates"
FILES = sorted(FOLDER.glob("*.yaml"))
ROOT = FOLDER / "nested-stack.yaml"
ANY_TEMPLATE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


# cloudformation-validate has no comment that silences it, so what is not taken from it is explained here.
@cache
def template(path: Path) -> dict[str, Any]:
    """The template as plain values."""
    found: dict[str, Any] = parse(path.read_text())
    return found


def walk(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside, with its path."""
    yield at, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from walk(inner, f"{at}/{key}")


def references(value: Any) -> set[str]:
    """The names that the value refers to, by Ref or Fn::Sub."""
    found = set()
    for at, inner in walk(value):
        if at.endswith("/Ref"):
            found.add(inner)
        elif at.endswith(("/Fn::Sub", "/Fn::Sub/0")):
            found |= set(re.findall(r"\$\{([A-Za-z0-9:]+)\}", inner)) if isinstance(inner, str) else set()
    return found


def children_of(root: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The root's nested stacks by logical id, each with its template."""
    urls = {name: stack["Properties"]["TemplateURL"]["Fn::Sub"] for name, stack in root["Resources"].items()}
    return {name: template(FOLDER / url.removeprefix("${TemplateBaseUrl}/")) for name, url in urls.items()}
