"""Client request tokens: the same call again is answered as before, and no token serves two calls."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.wire import ServiceError

Params = dict[str, Any]
TOKENS = {"CreateStack", "UpdateStack", "ExecuteChangeSet"}  # a token is one operation's alone


def repeated(engine: Engine, operation: str, params: Params) -> Params | None:
    """The answer given before to the same call with the same client request token."""
    token = params.get("ClientRequestToken")
    if not token:
        return None
    digest = hashlib.sha256(json.dumps(params, sort_keys=True, default=str).encode()).hexdigest()
    with engine.changed:
        known = engine.tokens.get((operation, params["StackName"], token))
        taken = operation != "CreateChangeSet" and any(
            (other, params["StackName"], token) in engine.tokens for other in TOKENS - {operation}
        )
    if taken or (known and known[0] != digest):
        raise ServiceError("TokenAlreadyExistsException", f"Token {token} was used for another request")
    return known[1] if known else None


def remember(engine: Engine, operation: str, params: Params, answer: Params) -> Params:
    """The answer, kept for the same token to come again."""
    if token := params.get("ClientRequestToken"):
        digest = hashlib.sha256(json.dumps(params, sort_keys=True, default=str).encode()).hexdigest()
        with engine.changed:
            engine.tokens[operation, params["StackName"], token] = (digest, answer)
    return answer
