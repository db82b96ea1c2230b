"""A folder by a name that scripts need not quote: its own, or a link below the folder of temporary files.

    TMPDIR/aws-vpc-1000-3f2a91c04d7e/local  ─▶  My Projects/aws-vpc/.local

Scripts meant for root name /opt and /etc without quotes, so what stands for those has to be plain. The
link's folder is this user's alone, and its name follows from the folder's, so that it is the same again.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from aws_vpc.errors import LocalError

PLAIN = re.compile(r"[\w./+@%-]+", re.ASCII)


def plain(folder: Path) -> Path:
    """The folder's plain name, whether or not that is there yet."""
    if PLAIN.fullmatch(str(folder)):
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"aws-vpc-{os.geteuid()}-{digest}" / "local"


def link(folder: Path) -> None:
    """Make the plain name lead to the folder; LocalError when it cannot."""
    name = plain(folder)
    if name == folder:
        return
    if not PLAIN.fullmatch(str(name)):
        raise LocalError(f"scripts can name neither {folder} nor {name} unquoted: set AWS_VPC_LOCAL_DIR")
    with suppress(FileExistsError):
        name.parent.mkdir(mode=0o700)
    found = name.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise LocalError(f"{name.parent} is not this user's own folder: remove it, or set AWS_VPC_LOCAL_DIR")
    name.unlink(missing_ok=True)
    name.symlink_to(folder)


def unlink(folder: Path) -> None:
    """Take the plain name away, where it was made."""
    name = plain(folder)
    if name != folder:
        name.unlink(missing_ok=True)
        with suppress(OSError):
            name.parent.rmdir()
