"""Keeps the state of the embedded AWS on the disk: what is answered to a client outlives a kill -9.

    a request that may change something ─► touch(service) ─► the keeper's thread ─► commit
    the answer to it waits ◄──────────────── settle() ◄───────────────────────────┘

One commit serves everybody who waits. What the embedded AWS asks itself waits for nothing: stacks are
committed while they are made, again and again. A commit that fails fails those who wait for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_vpc.errors import LocalError
from aws_vpc.local import kept
from aws_vpc.local.state_files import MANIFEST, WAY_OUT, read, stamp, write, write_manifest

if TYPE_CHECKING:
    from aws_vpc.local.front import Front
    from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

AT_REST = 1.0  # seconds without a request after which everything is looked at once
APART = 0.5  # seconds between two commits for which nobody waits
TRIES = 20  # to take a part that changes meanwhile


class Keeper:
    """The state of one embedded AWS in its folder `state`."""

    def __init__(self, world: World, front: Front) -> None:
        from aws_vpc.local.state_bodies import Bodies  # moto's S3 is imported when it is needed

        self.world, self.front = world, front
        self.folder: Path = world.root / "state"
        self.bodies = Bodies(self.folder / "objects")
        self._changed = threading.Condition()
        self._touched: set[str] = set()
        self._asked = self._done = 0  # requests that may have changed something; those on the disk
        self._ended = 0  # of those asked for, up to where operations on stacks have come to an end
        self._waiting, self._was_busy = 0, True
        self._error, self._closing = "", False
        self._files: dict[str, str] = {}
        self._digests: dict[str, bytes] = {}
        self._classes: dict[str, dict[str, str]] = {}
        self._number = 0
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------ what requests see

    def touch(self, service: str | None) -> None:
        """A request to the service may have changed something."""
        with self._changed:
            self._touched.add(kept.group(service))
            if service in ("sts", "iam"):
                self._touched.add("iam")
            self._asked += 1
            self._changed.notify_all()

    def ended(self) -> None:
        """A stack comes to rest, which nobody shall see before it is on the disk."""
        self.touch(kept.STACKS)
        with self._changed:
            self._ended = self._asked

    def settle_ends(self) -> None:
        """Wait until the stacks that have come to rest are so on the disk."""
        self.settle(self._ended)

    def settle(self, wanted: int | None = None) -> None:
        """Wait until all that was touched is on the disk; LocalError when it cannot be put there."""
        with self._changed:
            wanted = self._asked if wanted is None else wanted
            self._waiting += 1
            self._changed.notify_all()
            try:
                while self._done < wanted and not self._error and self._thread is not None:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            if self._error and self._done < wanted:
                raise LocalError(f"the state cannot be kept: {self._error}")

    # ------------------------------------------------------------ the thread

    def start(self) -> None:
        """Keep what there is now, and from now on all that changes."""
        self.bodies.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.world.outbox.keep()
        if not self._files:
            self.commit(whole=True)
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Commit once more, and keep nothing from now on."""
        with self._changed:
            self._closing = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join()
            self.commit(whole=True)
        with self._changed:
            self._thread = None
            self._changed.notify_all()

    def _run(self) -> None:
        rested = True
        while True:
            with self._changed:
                due = self._changed.wait_for(
                    lambda: self._closing or self._asked > self._done, None if rested else AT_REST
                )
                if self._closing:
                    return
            began = time.monotonic()
            self._attempt(whole=not due)
            rested = not due
            self._pause(time.monotonic() - began)

    def _attempt(self, *, whole: bool) -> None:
        try:
            self.commit(whole=whole)
        except Exception as error:
            log.exception("the state cannot be kept")
            with self._changed:
                self._error = f"{type(error).__name__}: {error}"
                self._changed.notify_all()

    def _pause(self, lasted: float) -> None:
        """Leave the others their share: at least as long as the commit took, longer where nobody waits."""
        deadline = time.monotonic() + max(APART, lasted)
        with self._changed:
            while not self._closing and (left := deadline - time.monotonic()) > 0:
                if self._waiting and self._done < self._asked:
                    return
                self._changed.wait(left)

    # ------------------------------------------------------------ a commit

    def commit(self, *, whole: bool = False) -> None:
        """Put on the disk what has changed: files of the changed groups, then the manifest."""
        delivered = self.world.outbox.delivered()  # first: what that brought about is in what is touched
        with self._changed:
            asked, touched = self._asked, self._touched
            self._touched = set()
        try:
            taken = self._take(touched, delivered, whole=whole)
            if self._write(taken):
                self._clear()
        except Exception:
            with self._changed:
                self._touched |= touched
            raise
        self.world.outbox.forget(delivered)
        with self._changed:
            self._done, self._error = asked, ""
            self._changed.notify_all()

    def _take(self, touched: set[str], delivered: set[int], *, whole: bool) -> dict[str, bytes]:
        """The bytes of each group that may have changed: the stacks first, what they speak of later.

        So a stack may miss the last of what the services have, but never has what they do not. The outbox
        comes last, with what was delivered meanwhile: what that brought about may be missing.
        """
        parts = self.world.parts
        stacks = {name: part for name, part in parts.items() if name == kept.STACKS}
        others = {name: part for name, part in parts.items() if name != kept.STACKS}
        found = {}
        busy, self._was_busy = self._was_busy, self._busy()
        if whole or kept.STACKS in touched or busy or self._was_busy:
            with _lock(stacks):
                found[kept.STACKS] = self._stable(kept.STACKS, partial(kept.take, stacks))
        found[kept.OWN] = self._stable(kept.OWN, partial(kept.take, others))
        with self.world.moto_turn:
            for group, entries in kept.backends().items():
                if whole or group in touched or group not in kept.HEAVY:
                    found[group] = self._stable(group, partial(list, entries))
            found[kept.OUTBOX] = self._stable(kept.OUTBOX, lambda: self.world.outbox.others(delivered))
        return found

    def _busy(self) -> bool:
        """Whether a stack is being changed."""
        part = self.world.parts.get(kept.STACKS)
        return part is not None and any(
            stack.run is not None or stack.in_progress for stack in list(part.owner.stacks.values())
        )

    def _stable(self, group: str, roots: Callable[[], Any]) -> bytes:
        """The bytes of a group, once it has held still for that long."""
        from aws_vpc.local.state_pickle import dump

        for attempt in range(TRIES):
            if group == "s3":
                self.bodies.used = set()
            try:
                data, self._classes[group] = dump(roots(), self.world, self.bodies)
                return data
            except RuntimeError:  # "changed size during iteration"
                if attempt == TRIES - 1:
                    raise
                time.sleep(0.005)
        raise AssertionError

    def _write(self, taken: dict[str, bytes]) -> bool:
        """Whether anything is new on the disk."""
        digests = {group: hashlib.blake2b(data).digest() for group, data in taken.items()}
        fresh = [group for group in taken if digests[group] != self._digests.get(group)]
        if not fresh:
            return False
        self._number += 1
        files = {group: f"{group}-{self._number}.pickle" for group in fresh}
        for group, name in files.items():
            write(self.folder / name, taken[group])
        self._files |= files
        classes = {name: text for each in self._classes.values() for name, text in each.items()}
        write_manifest(
            self.folder,
            {
                **stamp(),
                "number": self._number,
                "endpoint": self.world.endpoint,
                "region": self.world.region,
                "parts": list(self.world.parts),
                "classes": classes,
                "files": self._files,
            },
        )
        self._digests |= digests
        return True

    def _clear(self) -> None:
        """Remove what the manifest no longer names."""
        named = {*self._files.values(), MANIFEST}
        for file in self.folder.iterdir():
            if file.is_file() and file.name not in named:
                file.unlink(missing_ok=True)
        self.bodies.sweep()

    # ------------------------------------------------------------ the way back

    def restore(self) -> bool:
        """Whether there was a state, which is the embedded AWS's again; nothing of it runs yet."""
        from aws_vpc.local.state_pickle import load, shape_now

        manifest = read(self.folder)
        if manifest is None:
            return False
        for name, text in manifest["classes"].items():
            if shape_now(name) != text:
                raise LocalError(
                    f"the kept state in {self.folder} is of another version of {name}; {WAY_OUT}"
                )
        for service in kept.services_of(manifest["parts"]):
            self.front.handler(service)
        self._number, self._files = manifest["number"], manifest["files"]
        try:
            data = {group: (self.folder / name).read_bytes() for group, name in self._files.items()}
            found = {group: load(each, self.world, self.bodies) for group, each in data.items()}
        except OSError as error:
            raise LocalError(f"the kept state in {self.folder} cannot be read ({error}); {WAY_OUT}") from None
        self._digests = {group: hashlib.blake2b(each).digest() for group, each in data.items()}
        for group, state in found.items():
            if group in (kept.OWN, kept.STACKS):
                kept.give(self.world.parts, state)
            elif group == kept.OUTBOX:
                self.world.outbox.restore(state)
            else:
                kept.restore_backends(state)
        return True

    def resume(self) -> None:
        """Let run again what ran, and wait for it; stacks that were under way come to an end later."""
        begun: list[kept.Waited] = []
        last = ["world.databases", kept.STACKS]
        names = [name for name in self.world.parts if name not in last] + last
        for name in names:
            part = self.world.parts.get(name, kept.Part(None, ()))
            if part.resume is not None:
                try:
                    begun += part.resume() or ()
                except Exception:
                    log.exception("%s cannot be brought back", name)
        for each in begun:
            each.finish()
        self.world.outbox.resume()


def _lock(parts: dict[str, kept.Part]) -> AbstractContextManager[Any]:
    return next((part.lock for part in parts.values() if part.lock is not None), nullcontext())
