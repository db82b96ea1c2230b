"""Templates and bundles brought to the artifact bucket, and the parameters that tell where they are."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_vpc import package
from aws_vpc.commands import made
from aws_vpc.commands.request import Request
from aws_vpc.commands.session import Session


@dataclass(frozen=True)
class Place:
    """The artifact bucket, whether it is the command's own, and whether it holds the root's template."""

    bucket: str
    ours: bool
    holds: bool


def place(session: Session, request: Request, asked: str | None, previous: Mapping[str, str]) -> Place:
    """The bucket named, or that of the last time, or the account's own."""
    own = f"aws-vpc-artifacts-{session.account}-{session.aws.region}"
    bucket = asked or previous.get("ArtifactBucket") or own
    root = request.package.root.key
    holds = package.exists(session.aws.client("s3"), bucket, root, session.account)
    return Place(bucket, bucket == own, holds)


def upload(
    session: Session, request: Request, where: Place, previous: Mapping[str, str], *, refresh: bool = False
) -> tuple[str, dict[str, str]]:
    """The root template's address, and the parameters that the command makes itself; all uploaded."""
    s3, bucket, account = session.aws.client("s3"), where.bucket, session.account
    if not where.holds:
        if package.ensure_bucket(s3, bucket, session.aws.region, account, ours=where.ours):
            session.console.say(f"bucket {bucket} made")
        # The root comes last: where it is there, all are there.
        artifacts = request.package.artifacts
        keys = package.upload(s3, bucket, account, artifacts)
        session.console.say(f"{len(keys)} of {len(artifacts)} templates uploaded to {bucket}")
    base = package.base_url(s3, bucket)
    places = {"TemplateBaseUrl": base, "ArtifactBucket": bucket}
    declared = request.package.template.parameters
    url = f"{base}/{request.package.root.key.removeprefix('templates/')}"
    found = made.made(made.Makers(session, request, previous, bucket, refresh))
    return url, {name: value for name, value in places.items() if name in declared} | found
