"""Names for requests, so that one which is sent twice counts once."""

import uuid


def token() -> str:
    """A new name, the same in all retries of one call."""
    return f"aws-vpc-{uuid.uuid4().hex}"
