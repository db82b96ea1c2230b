"""What the public resource provider schemas say about a type.

The schemas are the files that cfn-lint ships: providers/<region>.json maps a type to the name of its
file in resources/. They are read one by one and only when asked for; cfn-lint itself is not imported.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

REGION = "us-east-1"  # the Region that has every type


@cache
def folder() -> Path:
    """The folder in which cfn-lint keeps the schemas."""
    spec = find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("cfn-lint is not installed; install requirements.txt")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@cache
def index() -> dict[str, str]:
    """The file name, without its ending, of each type's schema."""
    found: dict[str, str] = json.loads((folder() / "providers" / f"{REGION}.json").read_text())
    return found


@cache
def schema(type: str) -> dict[str, Any]:
    """The provider schema of the type; KeyError when AWS has no such type."""
    found: dict[str, Any] = json.loads((folder() / "resources" / f"{index()[type]}.json").read_text())
    return found


def paths(type: str, key: str) -> frozenset[str]:
    """The property paths, `A/B/*/C`, that the type's schema lists under the key."""
    return frozenset(path.removeprefix("/properties/") for path in schema(type).get(key) or ())


def create_only(type: str) -> frozenset[str]:
    """The paths of the properties whose change always replaces the resource."""
    return paths(type, "createOnlyProperties")


def conditional_create_only(type: str) -> frozenset[str]:
    """The paths of the properties whose change may replace: its update then says NotUpdatable."""
    return paths(type, "conditionalCreateOnlyProperties")


def read_only(type: str) -> frozenset[str]:
    """The paths of the attributes that Fn::GetAtt may ask for and a template cannot set."""
    return paths(type, "readOnlyProperties")


def system_tags(type: str) -> bool:
    """Whether CloudFormation puts its aws:cloudformation:* tags on resources of this type."""
    tagging = schema(type).get("tagging") or {}
    return bool(tagging.get("taggable", True) and tagging.get("cloudFormationSystemTags", True))
