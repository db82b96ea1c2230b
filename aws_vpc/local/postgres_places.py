"""Which user PostgreSQL runs as, what that user reaches, and the folders that are kept elsewhere for it."""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
import tempfile
import threading
from pathlib import Path

from aws_vpc.errors import LocalError
from aws_vpc.local.postgres_files import Owner, private, remove

UNPRIVILEGED = "nobody"
PREFIX = "aws-vpc-"  # of folders under the temporary one
OWNER_FILE = "belongs-to"


def owner() -> Owner | None:
    """The user and group that PostgreSQL must run as; None when it may run as we do."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise LocalError(
            f"PostgreSQL does not run as root and there is no user {UNPRIVILEGED}: run this as another user"
        ) from None
    return entry.pw_uid, entry.pw_gid


def reaches(path: Path, user: Owner | None) -> bool:
    """Whether the user can get at a file or into a folder; asked by being that user."""
    if user is None:
        return True
    asked = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", path],
        user=user[0],
        group=user[1],
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return asked.returncode == 0


def temporary() -> Path:
    """The folder for temporary files: the one that a restart of the machine does not empty, unless named."""
    lasting = Path("/var/tmp")
    named = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return Path(tempfile.gettempdir()) if named or not os.access(lasting, os.W_OK) else lasting


def sweep() -> None:
    """Remove folders under the temporary one whose `.local` folder is gone, unless a server runs there."""
    for folder in temporary().glob(f"{PREFIX}*"):
        link = belongs_to(folder)
        if link and not (link.is_symlink() and link.readlink() == folder) and not _in_use(folder):
            remove(folder)


def belongs_to(folder: Path) -> Path | None:
    """The link that a folder was made for, if it is one of ours and this user's."""
    try:
        file = folder / OWNER_FILE
        text = file.read_text() if file.lstat().st_uid == os.geteuid() else ""
        return Path(text) if text else None  # it is just being made
    except OSError:
        return None


def _in_use(folder: Path) -> bool:
    for file in folder.glob("*/postmaster.pid"):
        try:
            os.kill(int(file.read_text().split("\n")[0]), 0)
            return True
        except (OSError, ValueError):
            continue
    return False


def elsewhere(link: Path) -> Path:
    """A folder under the temporary one, which the link names, and which names the link; made at need."""
    if not link.exists():
        threading.Thread(target=sweep, name="sweep", daemon=True).start()
        link.unlink(missing_ok=True)
        made = temporary() / f"{PREFIX}{secrets.token_hex(6)}"
        link.symlink_to(made)
        made.mkdir(mode=0o711)
        made.chmod(0o711)  # whatever the umask says
        private(made / OWNER_FILE, str(link), None)
    return link.readlink()
