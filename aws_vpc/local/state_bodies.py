"""The bodies of S3 objects: a file each, written once, named at random, gone with the object."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any
from weakref import WeakKeyDictionary

from moto.settings import get_s3_default_key_buffer_size

from aws_vpc.local.state_files import write


class Bodies:
    """A folder of bodies, and which object has which."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()
        self.used: set[str] | None = None  # in the last dump

    def put(self, key: Any) -> str | None:
        """The name of the file with the object's body, on the disk; None when the object is disposed of."""
        if key not in self.names:
            try:
                body = key.value
            except ValueError:  # its buffer is closed: it was deleted
                return None
            name = secrets.token_hex(12)
            write(self.folder / name, body)
            self.names[key] = name
        found = self.names[key]
        if found and self.used is not None:
            self.used.add(found)
        return found

    def open(self, name: str | None) -> IO[bytes]:
        """A buffer of moto's with the body in it."""
        buffer = tempfile.SpooledTemporaryFile(get_s3_default_key_buffer_size())  # noqa: SIM115
        if name is None:
            buffer.close()
        else:
            with (self.folder / name).open("rb") as file:
                shutil.copyfileobj(file, buffer, 1 << 20)
        return buffer

    def sweep(self) -> None:
        """Remove the files that no object in the last dump uses."""
        for file in self.folder.iterdir() if self.used is not None else ():
            if self.used is not None and file.name not in self.used:
                file.unlink(missing_ok=True)
