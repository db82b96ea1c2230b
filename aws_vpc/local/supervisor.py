"""The one process that is the embedded AWS: `python -m aws_vpc.local.supervisor [--folder F] [--port P]`.

    lock ─► leftovers of a killed one ended ─► certificates, server ─► endpoint.json ─► "ready"
    main thread: forks children for everybody        other threads: HTTP, runners, warm-up
    SIGTERM, SIGINT ─► server closed ─► handlers stopped ─► children ended, youngest first ─► exit

`control` starts it; nothing here is printed but errors, which go to logs/supervisor.log.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import string
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_vpc.errors import LocalError
from aws_vpc.local import plain_path
from aws_vpc.local.folders import default_folder
from aws_vpc.local.leftovers import end_leftovers, guard
from aws_vpc.local.processes import Processes
from aws_vpc.local.state_files import REGIONS, kept, read

if TYPE_CHECKING:
    from aws_vpc.local.front import Front
    from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

ACCOUNT = "123456789012"  # the example account of AWS's documentation, and moto's
# Not us-east-1: version 1 of the aws command overlooks AWS_ENDPOINT_URL there for `aws rds`.
REGION = "us-west-2"
# Read when moto is imported, so they are set before.
MOTO = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "true",
    "MOTO_ACCOUNT_ID": ACCOUNT,
}


def main(argv: list[str] | None = None) -> int:
    """The exit status, when the embedded AWS has ended."""
    parser = argparse.ArgumentParser(prog="python -m aws_vpc.local.supervisor")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="of the time resources take on AWS, 0 to 1")
    parser.add_argument("--region", default=os.environ.get("AWS_DEFAULT_REGION") or REGION)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--ready", type=int, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    try:
        run(options.folder or default_folder(), options)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run(folder: Path, options: argparse.Namespace) -> None:
    """Be the embedded AWS until told to stop."""
    os.umask(0o077)  # what it writes is this user's alone
    prepare(folder)
    with locked(folder / "lock"):
        (folder / "endpoint.json").unlink(missing_ok=True)
        for name in end_leftovers(folder / "run.json"):
            log.warning("ended %s, which a killed embedded AWS had left", name)
        if not kept(folder):
            clear(folder / "run")
            (folder / REGIONS).unlink(missing_ok=True)
        clean_environment()
        processes = Processes(folder / "run.json")
        heed_signals(processes)
        guardian = guard(folder / "run.json")
        try:
            plain_path.link(folder)
            live(folder, options, processes)
        finally:
            plain_path.unlink(folder)
            guardian.communicate()  # its end, too


def heed_signals(processes: Processes) -> None:
    """Leave at SIGTERM and SIGINT; let no signal wait until the main thread has something else to do.

    Python runs a handler between two instructions of the main thread. A signal that comes just before
    that blocks would be looked at only when it wakes, so a thread that hears of each one wakes it.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: processes.leave())
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)

    def listen() -> None:
        while os.read(heard, 1):
            processes.wake()

    threading.Thread(target=listen, name="signals", daemon=True).start()


def prepare(folder: Path) -> None:
    """Make the folders, readable by this user alone, and send the log there."""
    try:
        for each in (folder, folder / "logs", folder / "run"):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / "logs" / "supervisor.log", encoding="utf-8", delay=True)
    except OSError as error:
        raise LocalError(f"{folder} cannot be used: {error.strerror}; set AWS_VPC_LOCAL_DIR") from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file, for as long as the process lives at most; LocalError when another one holds it."""
    deadline = time.monotonic() + 2.0
    with path.open("a+") as file:
        while True:  # a passing `facts` holds it for an instant
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LocalError(f"another embedded AWS holds {path}") from None
                time.sleep(0.02)
        yield


def clear(run: Path) -> None:
    """Remove what a run left, all but the certificates, which clients may have been told of."""
    for each in run.iterdir() if run.is_dir() else ():
        if each.name != "certificates":
            shutil.rmtree(each, ignore_errors=True)


def clean_environment() -> None:
    """Forget the caller's AWS settings, which must not reach what runs "in AWS", and set moto's."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "MOTO_", "PG", "SSL_CERT", "REQUESTS_CA")) and name not in KEPT:
            del os.environ[name]
    os.environ.update(MOTO, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


KEPT = ("AWS_VPC_LOCAL_DIR", "PG_BIN", "PG_OS_USER")


def live(folder: Path, options: argparse.Namespace, processes: Processes) -> None:
    """Serve, say that it is ready, fork for everybody, and on leaving end everything in order."""
    before = read(folder / "state") or {}  # refused before anything is loaded
    from aws_vpc.local import shortcuts
    from aws_vpc.local.keeper import Keeper
    from aws_vpc.local.server import moto, serve

    shortcuts.take()
    listener = listen(options.port, before)
    world = make_world(folder, before.get("region", options.region), processes)
    world.delay = options.delay
    world.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    os.environ["MOTO_PORT"] = str(listener.getsockname()[1])
    from aws_vpc.local.front import Front

    front = Front(world, moto())
    world.answer = front.respond
    keep = threading.Thread(target=begin_to_keep, args=(world, front), name="begin to keep")
    signal.signal(signal.SIGUSR1, lambda *_: None if keep.ident else keep.start())
    if before or options.keep:
        world.keeper = Keeper(world, front)
        world.keeper.restore()
    server = serve(listener, front)
    threading.Thread(target=get_ready, args=(world, front, options.ready), name="ready", daemon=True).start()
    try:
        processes.run()
    finally:
        (folder / "endpoint.json").unlink(missing_ok=True)
        server.shutdown()
        server.server_close()  # before the lock goes: whoever sees it go finds nothing that listens
        end(world, front)
        log.info("stopped")


def listen(port: int, before: dict[str, Any]) -> socket.socket:
    """A socket at the port that is asked for, or at that of the kept state, or at any."""
    from aws_vpc.local.server import bind

    if not port and before:
        with suppress(OSError):  # somebody else has it now
            return bind(int(before["endpoint"].rpartition(":")[2]))
    try:
        return bind(port)
    except OSError as error:
        raise LocalError(f"port {port} cannot be used: {error.strerror}; choose another or none") from None


def get_ready(world: World, front: Front, ready: int | None) -> None:
    """Let a kept state run again, say that all is ready, and load ahead."""
    from aws_vpc.local import ahead

    if world.keeper is not None:
        world.keeper.start()
        world.keeper.resume()
    say_ready(world, ready)
    ahead.warm(front, world)


def begin_to_keep(world: World, front: Front) -> None:
    """Keep the state from now on."""
    from aws_vpc.local.keeper import Keeper

    if world.keeper is None:
        keeper = Keeper(world, front)
        keeper.start()
        world.keeper = keeper


def end(world: World, front: Front) -> None:
    """Leave nothing running, and nothing behind but what is kept."""
    if world.keeper is not None:
        world.keeper.close()
        world.processes.stop(grace=10.0)  # PostgreSQL writes everything out
        return
    world.processes.stop(grace=3.0)  # first: whoever waits for one of them then learns that it has ended
    front.stop()
    clear(world.run)


def make_world(folder: Path, region: str, processes: Processes) -> World:
    """A new world: credentials of this run alone, certificates of its own authority."""
    from aws_vpc.local.certificates import Certificates
    from aws_vpc.local.world import World

    letters = string.ascii_uppercase + "234567"
    return World(
        root=folder,
        region=region,
        account=ACCOUNT,
        access_key="AKIA" + "".join(secrets.choice(letters) for _ in range(16)),
        secret_key=secrets.token_urlsafe(30),
        processes=processes,
        certificates=Certificates(folder / "run" / "certificates"),
    )


def say_ready(world: World, ready: int | None) -> None:
    """Write endpoint.json, whole or not at all, and tell whoever waits at the other end of the pipe."""
    facts = {
        "pid": os.getpid(),
        "endpoint": world.endpoint,
        "region": world.region,
        "account": world.account,
        "access_key": world.access_key,
        "secret_key": world.secret_key,
        "ca": str(world.certificates.ca),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "delay": world.delay,
    }
    draft = world.root / "endpoint.json.new"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
        json.dump(facts, file)
    draft.replace(world.root / "endpoint.json")
    log.info("ready at %s", world.endpoint)
    if ready is not None:
        with suppress(OSError):  # whoever waited may have gone
            os.write(ready, b"ready\n")
        os.close(ready)


if __name__ == "__main__":
    gc.disable()  # until all is loaded: half of the time of the start would be collections that find nothing
    status = main()
    sys.stdout.flush()
    logging.shutdown()
    os._exit(status)  # nothing is left to do, and taking the interpreter down takes a while
