"""Why an operation failed, in one paragraph: every distinct root cause, with what has to be changed.

In: the events seen, and the templates and parameters that were being deployed. Out: text, causes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aws_vpc import blame, causes
from aws_vpc.causes import Cause
from aws_vpc.events import STACK, Event
from aws_vpc.report import failure
from aws_vpc.template import Template

FILE = re.compile(r"([\w.-]+\.ya?ml)$")


@dataclass(frozen=True)
class Attempt:
    """What was being deployed: the root's template, its parameters, and the children's by their files."""

    root: Template
    parameters: Mapping[str, str]
    children: Mapping[str, Template]

    def layers(self, name: str) -> dict[tuple[str, ...], blame.Layer]:
        """Every stack of the tree, by its path from the root's name down."""
        return dict(tree((name,), self.root, self.parameters, self.children))


def tree(
    path: tuple[str, ...], template: Template, given: Mapping[str, str], files: Mapping[str, Template]
) -> Iterator[tuple[tuple[str, ...], blame.Layer]]:
    """A stack and those nested in it, each with the values of its parameters as far as they are known."""
    defaults = {key: str(one.get("Default", "")) for key, one in template.parameters.items()}
    values = {**defaults, **given}
    yield path, blame.Layer(template.resources, values)
    for logical, resource in template.resources.items():
        properties = resource.get("Properties", {})
        child = files.get(file_name(properties.get("TemplateURL"))) if resource.get("Type") == STACK else None
        if child is not None:
            passed = {
                key: known
                for key, value in properties.get("Parameters", {}).items()
                if (known := plain(value, values)) is not None
            }
            yield from tree((*path, logical), child, passed, files)


def file_name(url: Any) -> str:
    """The file in a TemplateURL, which may be a function."""
    text = url.get("Fn::Sub", "") if isinstance(url, dict) else url
    found = FILE.search(text if isinstance(text, str) else "")
    return found[1] if found else ""


def plain(value: Any, parameters: Mapping[str, str]) -> str | None:
    """The text of a literal, or of a parameter that is referred to; None where only AWS knows it."""
    if isinstance(value, dict):
        return parameters.get(value["Ref"]) if set(value) == {"Ref"} else None
    return None if isinstance(value, list) else str(value)


def explained(name: str, seen: Sequence[Event], attempt: Attempt | None) -> list[Cause]:
    """The root causes of a failure, the deepest first, with the property or parameter to change."""
    layers = attempt.layers(name) if attempt else {}
    return [replace(one, change=blame.blamed(one, layers)) for one in causes.causes(seen)]


def paragraph(name: str, seen: Sequence[Event], attempt: Attempt | None = None) -> str:
    """The root causes of a failure in one paragraph."""
    return failure(explained(name, seen, attempt))
