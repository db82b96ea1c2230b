"""Templates and the web bundle under keys made from their content, and the bucket that holds them.

In: the folders `templates/` and `eb-flask/`. Out: artifacts, and the keys that had to be uploaded.

    templates/<hash>/vpc.yaml            a child, by its own content
    templates/<hash>/nested-stack.yaml   the root, whose copy names its children with their hashes
    web/<hash>.zip                       the bundle, by its files' paths, modes and contents
    loader/<hash>.zip                    the source of the loader's image, made the same way

The root's hash depends on its children's, and it is uploaded last: where it is there, all are there.
"""

import fnmatch
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import Error, TemplateError
from aws_vpc.template import Template, load

CHILD = re.compile(r"\$\{TemplateBaseUrl\}/([A-Za-z0-9_.-]+\.ya?ml)")
# What a checkout collects and a server must not get, like what is hidden;
# a .ebignore beside the application adds to it.
IGNORED = (
    "__pycache__", "*.pyc", "*.egg-info", "venv", "node_modules", "tests", "requirements_dev.txt",
)  # fmt: skip
OF_BEANSTALK = frozenset([".ebextensions", ".platform"])  # hidden, yet part of a bundle
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Artifact:
    """An object of the artifact bucket; its body is made only when it has to be uploaded."""

    key: str
    body: Callable[[], bytes]


@dataclass(frozen=True)
class Package:
    """The root as it is uploaded and its children, as artifacts; and what the root's template says."""

    root: Artifact
    children: tuple[Artifact, ...]
    template: Template
    files: Mapping[str, Template] = field(default_factory=dict)  # the children by their names

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The children, then the root: in the order in which they have to be uploaded."""
        return (*self.children, self.root)


def package(folder: Path, name: str = "nested-stack.yaml") -> Package:
    """The root template `name` of `folder` and the children it names, checked and ready to be uploaded."""
    children: dict[str, Artifact] = {}
    files: dict[str, Template] = {}

    def keyed(match: re.Match[str]) -> str:
        child = match[1]
        if child not in children:
            files[child] = checked(child, read(folder / child))
            children[child] = template_artifact(child, files[child])
        return "${TemplateBaseUrl}/" + children[child].key.removeprefix("templates/")

    text = read(folder / name)
    checked(name, text)
    root = checked(name, CHILD.sub(keyed, text))
    return Package(template_artifact(name, root), tuple(children.values()), root, files)


def read(path: Path) -> str:
    """The text of a template."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"template {path} does not exist; is the repository root right?") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {path} cannot be read: {error}") from error


def checked(name: str, text: str) -> Template:
    """The template in a text; TemplateError names it where it breaks a rule."""
    try:
        return load(text)
    except TemplateError as error:
        raise TemplateError(f"template {name}: {error}") from None


def template_artifact(name: str, template: Template) -> Artifact:
    """The artifact of a template, under a key that changes only when what it says changes."""
    meaning = json.dumps(template.body, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(meaning.encode()).hexdigest()[:16]
    return Artifact(f"templates/{digest}/{name}", template.text.encode)


def bundle(folder: Path) -> Artifact:
    """The web application in `folder` as a zip, the same bytes for the same files wherever it is made."""
    if not folder.is_dir():
        raise Error(f"the web application's folder {folder} does not exist; is the repository root right?")
    return archive(folder, sorted(bundle_files(folder)), "web")


def archive(folder: Path, paths: Sequence[str], prefix: str) -> Artifact:
    """Files below `folder` as a zip under `prefix`, the same key and bytes for the same files."""
    files = [(path, *mode_and_content(folder / path)) for path in paths]
    digest = hashlib.sha256()
    for path, mode, content in files:
        digest.update(f"{path}\0{mode:o}\0{len(content)}\0".encode() + content)
    return Artifact(f"{prefix}/{digest.hexdigest()[:16]}.zip", lambda: zipped(files))


def bundle_files(folder: Path) -> Iterator[str]:
    """The paths below `folder` that belong to the bundle."""
    ignored = [*IGNORED, *own_ignored(folder / ".ebignore")]
    for parent, folders, names in os.walk(folder):
        below = Path(parent).relative_to(folder)
        folders[:] = [name for name in folders if not is_ignored((below / name).as_posix(), ignored)]
        yield from (path for name in names if not is_ignored(path := (below / name).as_posix(), ignored))


def own_ignored(path: Path) -> list[str]:
    """The patterns in an ignore file, one a line."""
    if not path.exists():
        return []
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line.strip("/") for line in lines if line and not line.startswith("#")]


def is_ignored(path: str, patterns: Sequence[str]) -> bool:
    """True when the path's last part is hidden, or a pattern matches the path or its last part."""
    name = path.rpartition("/")[2]
    if name.startswith(".") and name not in OF_BEANSTALK:
        return True
    return any(fnmatch.fnmatchcase(path, one) or fnmatch.fnmatchcase(name, one) for one in patterns)


def mode_and_content(path: Path) -> tuple[int, bytes]:
    """The mode that matters, executable or not, and the bytes of a file."""
    return (0o755 if path.stat().st_mode & 0o100 else 0o644), path.read_bytes()


def zipped(files: Sequence[tuple[str, int, bytes]]) -> bytes:
    """A zip of files without owners and times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, mode, content in files:
            info = zipfile.ZipInfo(path, EPOCH)
            info.create_system = 3  # Unix, so that the mode counts
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def base_url(s3: Any, bucket: str) -> str:
    """The address under which CloudFormation finds `templates/`, as the client's own endpoint has it."""
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "templates"})
    return str(url).partition("?")[0]


def exists(s3: Any, bucket: str, key: str, account: str) -> bool:
    """True when the bucket is this account's and holds the key."""
    try:
        s3.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}:
            return False
        raise taken(error, bucket) from error
    return True


def upload(s3: Any, bucket: str, account: str, artifacts: Sequence[Artifact]) -> list[str]:
    """The keys that were missing and have been uploaded, in the order given."""
    missing = [artifact for artifact in artifacts if not exists(s3, bucket, artifact.key, account)]
    for artifact in missing:
        s3.put_object(Bucket=bucket, Key=artifact.key, Body=artifact.body(), ExpectedBucketOwner=account)
    return [artifact.key for artifact in missing]


def taken(error: Exception, bucket: str) -> Exception:
    """The error of a bucket that is another account's, or `error` itself."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    if code in {"403", "AccessDenied", "BucketAlreadyExists", "Forbidden"}:
        return Error(
            f"bucket {bucket} is taken by another account, or this identity may not use it;"
            " name another with --bucket"
        )
    return error


def ensure_bucket(s3: Any, bucket: str, region: str, account: str, *, ours: bool) -> bool:
    """True when the bucket had to be made; `ours` says that its settings are for us to keep right."""
    made = False
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket", "NotFound"}:
            raise taken(error, bucket) from error
        create_bucket(s3, bucket, region)
        made = True
    # Versioning is set last, so where it is on, the rest was done, too.
    if made or (ours and s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled"):
        secure(s3, bucket)
    return made


def create_bucket(s3: Any, bucket: str, region: str) -> None:
    """Returns when the bucket is made."""
    # us-east-1 is the one Region that must not be named.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **place)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise taken(error, bucket) from error


def secure(s3: Any, bucket: str) -> None:
    """Returns when the bucket is private, encrypted, reached by TLS only, and versioned."""
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    encryption = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [encryption]})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(tls_only(bucket, partition(s3))))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def partition(s3: Any) -> str:
    """The partition of the client's Region, as it stands in ARNs."""
    return str(s3.meta.partition)


def tls_only(bucket: str, partition: str) -> dict[str, Any]:
    """A bucket policy that refuses requests without TLS."""
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
