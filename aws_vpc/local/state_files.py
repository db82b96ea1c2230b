"""The folder of a kept state: one manifest, the files that it names, and never half of anything.

    state/manifest.json   version, classes, the endpoint's port; group -> file
    state/ec2-17.pickle   a group of services, as it was at commit 17
    state/objects/        bodies of S3 objects

A commit writes the groups that changed to files of new names, then puts a new manifest in the place of the
old one (rename). Whoever is killed in between leaves the state of the commit before, whole.
"""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aws_vpc.errors import LocalError

FORMAT = 1
MANIFEST = "manifest.json"
REGIONS = "regions.json"  # beside the folder of the state: where CloudFormation was asked


def stamp() -> dict[str, Any]:
    """What has to be the same for a state to be read again."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"format": FORMAT, "moto": version("moto"), "python": python}


def kept(folder: Path) -> bool:
    """Whether the folder of an embedded AWS holds a kept state."""
    return (folder / "state" / MANIFEST).exists()


def read(folder: Path) -> dict[str, Any] | None:
    """The manifest in a folder; None when nothing is kept; LocalError when it is of another version."""
    try:
        found = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LocalError(f"the kept state in {folder} cannot be read ({error}); {WAY_OUT}") from None
    ours = stamp()
    for name, value in ours.items():
        if found.get(name) != value:
            raise LocalError(
                f"the kept state in {folder} is of {name} {found.get(name)}, this is {value}; {WAY_OUT}"
            )
    return dict(found)


WAY_OUT = "start the version that kept it, or `python -m aws_vpc local reset` to begin anew"


def write(path: Path, data: bytes) -> None:
    """Write a file that only this user can read, and have it on the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Put a manifest in the place of the one before, at once."""
    draft = folder / f"{MANIFEST}.new"
    write(draft, json.dumps(manifest).encode())
    draft.replace(folder / MANIFEST)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the names, too
    finally:
        os.close(descriptor)
