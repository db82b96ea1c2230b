"""Values of properties as a plan shows them: secrets masked, of lists and maps only what differs.

In: the texts and JSON of DescribeChangeSet and of drift detection. Out: text, or places with both values.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aws_vpc.template_values import UNKNOWN as AFTER_APPLY

MASKED = "****"
UNKNOWN = "«known after apply»"
# CloudFormation masks NoEcho parameters; this masks a secret that a template holds in the open, too.
SECRET = re.compile(r"(password|secretstring|privatekey|authtoken)\w*$", re.IGNORECASE)


def value(path: str, text: str | None) -> str:
    """A value inside a property, which may be missing on one side."""
    return "nothing" if text is None else shown(path, text)


def structure(text: str | None) -> dict[str, str] | None:
    """The leaves of a list or a map in JSON by their places in it; None for anything else."""
    if text is None or text[:1] not in "[{" or text.startswith("{{"):
        return None
    try:
        return dict(leaves((), json.loads(text)))
    except ValueError:
        return None


def leaves(place: tuple[str, ...], found: Any) -> Iterator[tuple[str, str]]:
    """The scalars in a value, each by its place; members of a list that have a name go by that."""
    if isinstance(found, Mapping) and found:
        for key, inner in found.items():
            yield from leaves((*place, str(key)), inner)
    elif isinstance(found, list) and found:
        for number, inner in enumerate(found):
            name = named(inner)
            pair = bool(name) and len(inner) == 2 and "Value" in inner
            yield from leaves((*place, name or str(number)), inner["Value"] if pair else inner)
    else:
        yield "/".join(place), found if isinstance(found, str) else json.dumps(found)


def named(member: Any) -> str:
    """The name that a member of a list goes by, such as a tag's key; empty where it has none."""
    names = ("Key", "Name", "PolicyName", "Sid", "Id")
    found = (member.get(name) for name in names) if isinstance(member, Mapping) else ()
    return next((one for one in found if isinstance(one, str) and "{{" not in one), "")


def differences(
    before: Mapping[str, str], after: Mapping[str, str]
) -> list[tuple[str, str | None, str | None]]:
    """The places at which two structures differ, with both values."""
    places = list(dict.fromkeys([*before, *after]))
    return [(one, before.get(one), after.get(one)) for one in places if before.get(one) != after.get(one)]


def shown(path: str, value: str) -> str:
    """A property's value for a plan: secrets masked, what only the operation itself can tell said so."""
    if SECRET.search(path) and not value.startswith("{{resolve:"):
        return MASKED
    if path.endswith("/TemplateURL"):
        return value.rpartition("/templates/")[2]
    return " ".join(value.split()).replace(AFTER_APPLY, UNKNOWN)
