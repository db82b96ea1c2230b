"""What goes wrong, worded as CloudFormation words it in a resource's status reason."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable

from botocore.exceptions import ClientError

from aws_vpc.errors import Error
from aws_vpc.local.providers import ResourceFailed
from aws_vpc.local.wire import ServiceError

log = logging.getLogger(__name__)
CODES = (
    (("NotFound", "NoSuch", "NonExistent", "DoesNotExist"), "NotFound"),
    (("AlreadyExist", "Duplicate", "InUse", "Conflict", "BucketAlreadyOwnedByYou"), "AlreadyExists"),
    (("AccessDenied", "Unauthorized"), "AccessDenied"),
    (("Throttl", "RequestLimitExceeded", "LimitExceeded"), "ServiceLimitExceeded"),
    (("Invalid", "Malformed", "Validation", "Missing", "Unsupported", "Dependency"), "InvalidRequest"),
)


def reason_of(error: BaseException, logical_id: str, kind: str = "") -> str:
    """The status reason of a failed resource."""
    if isinstance(error, ClientError):
        return _handler(_client_message(error, kind), _code(str(error.response["Error"].get("Code", ""))))
    if isinstance(error, ResourceFailed):
        return _handler(str(error), "GeneralServiceException")
    if isinstance(error, ServiceError):
        return error.message
    if isinstance(error, Error):
        return str(error)
    log.exception("%s: internal failure", logical_id, exc_info=error)
    return f"Internal Failure: {type(error).__name__}: {error}"


def _handler(message: str, code: str) -> str:
    token = uuid.uuid4()
    return f'Resource handler returned message: "{message}" (RequestToken: {token}, HandlerErrorCode: {code})'


def _client_message(error: ClientError, kind: str) -> str:
    service = (kind.split("::")[1] if kind.count("::") >= 2 else error.operation_name).capitalize()
    metadata = error.response.get("ResponseMetadata", {})
    message = str(error.response["Error"].get("Message") or error.response["Error"].get("Code"))
    return (
        f"{message} (Service: {service}, Status Code: {metadata.get('HTTPStatusCode', 400)}, "
        f"Request ID: {metadata.get('RequestId', '')})"
    )


def _code(code: str) -> str:
    return next(
        (found for words, found in CODES if any(word in code for word in words)), "GeneralServiceException"
    )


def failed(pairs: Iterable[tuple[str, Iterable[str]]]) -> str:
    """The stack's sentence about its failed resources: (what they failed to do, their names) each."""
    return " ".join(
        f"The following resource(s) failed to {verb}: [{', '.join(sorted(names))}]."
        for verb, names in ((verb, list(names)) for verb, names in pairs)
        if names
    )
