"""A mark in the artifact bucket that what follows an update was done: an update of nothing asks no more.

The mark's name is a hash of the stack's last change, of the web bundle and of the sample data, so that
any change of them is looked after again. It is set only after a run that left nothing open.
"""

import hashlib
import json

from aws_vpc import package
from aws_vpc.commands.request import Request
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack


def key(session: Session, found: Stack, web: str) -> str:
    """The name of the mark for a stack as it stands, with the bundle and the data of this checkout."""
    sample = session.root / "data" / "people.csv"
    data = hashlib.sha256(sample.read_bytes()).hexdigest() if sample.exists() else ""
    state = [found.id, found.changed, found.status, web, data]
    return f"settled/{found.name}/{hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]}"


def stamped(session: Session, found: Stack, request: Request, bucket: str) -> bool:
    """True when what follows a stack has been done since it last changed."""
    name = key(session, found, request.web.key)
    return package.exists(session.aws.client("s3"), bucket, name, session.account)


def stamp(session: Session, found: Stack, web: str) -> None:
    """Returns when the mark is set; a stack that does not know its bucket gets none."""
    bucket = found.parameters.get("ArtifactBucket")
    if bucket:
        session.aws.client("s3").put_object(
            Bucket=bucket, Key=key(session, found, web), Body=b"", ExpectedBucketOwner=session.account
        )
