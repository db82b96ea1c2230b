"""One API call made from CloudFormation properties.

Most properties are named and shaped as the parameters of the API. What differs in general is decided here by
botocore's model of the operation: the case of member names, numbers and booleans written as text, documents
given as objects, tags as list or map. What differs in particular is said by the callers.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from aws_vpc.local.providers.resource import Properties, ResourceFailed, ResourceRequest
from aws_vpc.local.providers.schema import read_only, schema, system_tags

T = TypeVar("T")
ABSENT = re.compile(r"NotFound|NoSuch|NonExist|DoesNotExist|NotExist", re.IGNORECASE)
ABSENT_MESSAGE = re.compile(r"does not exist|not found|cannot be found", re.IGNORECASE)
REFUSES_SYSTEM_TAGS = {"Batch", "S3"}  # from anybody but CloudFormation itself, as the services do
INTERVAL = 0.1  # seconds between two looks at a resource that is not ready yet
DEADLINE = 600.0  # seconds after which it will not become ready any more


def call(client: Any, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the operation, called with the parameters in the form that its model asks for."""
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    answer: dict[str, Any] = getattr(client, operation)(**fit(model.input_shape, parameters, operation))
    return answer


def fit(shape: Any, value: Any, where: str) -> Any:
    """The value in the form of the botocore shape; ResourceFailed names a member that the shape lacks."""
    if shape.type_name == "structure":
        return fit_structure(shape, value, where)
    if shape.type_name == "list":
        entries = value if isinstance(value, list | tuple) else [value]
        return [fit(shape.member, entry, where) for entry in entries]
    if shape.type_name == "map":
        pairs = value if isinstance(value, Mapping) else {tag["Key"]: tag["Value"] for tag in value}
        return {str(key): fit(shape.value, entry, f"{where}.{key}") for key, entry in pairs.items()}
    return SCALARS.get(shape.type_name, lambda given: given)(value)


def fit_structure(shape: Any, value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The members spelled as in the shape, each fitted to its own."""
    spelled = {member.lower(): member for member in shape.members}
    fitted = {}
    for key, entry in value.items():
        member = spelled.get(key.lower()) or spelled.get(f"tag{key.lower()}")
        if member is None:
            raise ResourceFailed(f"extraneous key [{key}] is not permitted in {where}")
        if entry is not None:
            fitted[member] = fit(shape.members[member], entry, f"{where}.{key}")
    return fitted


def accepted(client: Any, operation: str, parameters: Mapping[str, Any]) -> Properties:
    """The parameters that the operation has."""
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    return {key: value for key, value in parameters.items() if key in model.input_shape.members}


def text(value: Any) -> Any:
    """The value as a string parameter: documents as JSON, booleans in lower case, bytes as they are."""
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    if isinstance(value, bytes):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def truth(value: Any) -> bool:
    """The value as a boolean: templates may write it as text."""
    return str(value).lower() == "true"


SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": text,
    "boolean": truth,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "blob": lambda value: value if isinstance(value, bytes) else str(value).encode(),
}


def pick(properties: Mapping[str, Any], names: str) -> Properties:
    """The named properties that are set, for `Parameter=Property` under the API's own name."""
    wanted = [entry.partition("=") for entry in names.split()]
    pairs = [(parameter, properties.get(key or parameter)) for parameter, _, key in wanted]
    return {parameter: value for parameter, value in pairs if value is not None}


def property_names(names: str) -> frozenset[str]:
    """The properties that `pick` would take by the same names."""
    return frozenset(entry.partition("=")[2] or entry for entry in names.split())


def tags(request: ResourceRequest, *, key: str = "Tags") -> dict[str, str]:
    """The tags the resource shall have: the stack's, CloudFormation's own, and over them the resource's."""
    own = request.properties.get(key) or {}
    stated = own if isinstance(own, Mapping) else {tag["Key"]: tag["Value"] for tag in own}
    system = system_tags(request.type) and request.type.split("::")[1] not in REFUSES_SYSTEM_TAGS
    carried = {name: value for name, value in request.tags.items() if system or not name.startswith("aws:")}
    return carried | {name: text(value) for name, value in stated.items()}


def tag_list(named: Mapping[str, str]) -> list[dict[str, str]]:
    """The tags as the list of Key and Value that most APIs take; `call` makes a map of it where due."""
    return [{"Key": key, "Value": value} for key, value in named.items()]


def absent(error: ClientError) -> bool:
    """Whether the error says that the thing is not there."""
    said = error.response["Error"]
    return bool(ABSENT.search(said["Code"]) or ABSENT_MESSAGE.search(said.get("Message", "")))


@contextmanager
def gone_is_done(*also: str) -> Iterator[None]:
    """A block whose errors of absence, and those with the given codes, mean that it is done."""
    try:
        yield
    except ClientError as error:
        if not absent(error) and error.response["Error"]["Code"] not in also:
            raise


def wait(look: Callable[[], T | None], what: str, *, seconds: float | None = None) -> T:
    """What `look` finds in the end; ResourceFailed when that takes longer than the seconds."""
    limit = DEADLINE if seconds is None else seconds
    deadline = time.monotonic() + limit
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise ResourceFailed(f"{what} did not stabilize within {limit:.0f} seconds")
        time.sleep(INTERVAL)
    return found


def attributes(type: str, description: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What Fn::GetAtt may ask: the read-only properties of the type's schema, and plain ones, as described.

    More are given by keyword, `Endpoint__Address=...` for a path.
    """
    found = {path.replace("/", "."): dig(description, path.split("/")) for path in read_only(type)}
    plain = {key: dig(description, [key]) for key in schema(type)["properties"]}
    stated = {key: value for key, value in plain.items() if isinstance(value, str | bool)}
    given = {key.replace("__", "."): value for key, value in more.items()}
    return {key: value for key, value in (stated | found | given).items() if value is not None}


def dig(description: Any, path: Sequence[str]) -> Any:
    """The value at the path, whatever the case of the names; numbers and times as the text of GetAtt."""
    if not path:
        if isinstance(description, datetime):
            return description.isoformat()
        number = isinstance(description, int) and not isinstance(description, bool)
        return str(description) if number else description
    if not isinstance(description, Mapping):
        return None
    spelled = {key.lower(): key for key in description}
    key = spelled.get(path[0].lower())
    return None if key is None else dig(description[key], path[1:])
