"""What the parts of the embedded AWS share: where it listens, who it is, its processes and certificates."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.config
import botocore.session

from aws_vpc.local import inside
from aws_vpc.local.kept import Part, Waited
from aws_vpc.local.outbox import Outbox, Posted
from aws_vpc.local.processes import Processes
from aws_vpc.local.state_files import REGIONS
from aws_vpc.local.wire import Request, Response

if TYPE_CHECKING:
    from aws_vpc.local.certificates import Certificates
    from aws_vpc.local.keeper import Keeper

PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class World:
    """One embedded AWS. `endpoint` is set when it listens."""

    root: Path
    region: str
    account: str
    access_key: str
    secret_key: str = field(repr=False)
    processes: Processes
    certificates: Certificates
    endpoint: str = ""
    # The front, once there is one: clients then ask it directly. Without it they go to the endpoint.
    answer: Callable[[Request], Response] | None = field(default=None, repr=False)
    delay: float = 0.0  # of what CloudFormation's resources take on AWS
    # Each is called with the id of an instance that was terminated or stopped.
    instance_gone: list[Callable[[str], None]] = field(default_factory=list, repr=False)
    # Whether the object key is a wait condition handle's, to which the body was put.
    wait_signal: Callable[[str, bytes], bool] = field(default=lambda *_: False, repr=False)
    # What is kept, by name: the service it belongs to, and what of it.
    parts: dict[str, Part] = field(default_factory=dict, init=False, repr=False)
    # Each tells the names of the data folders that a service has.
    data_owners: list[Callable[[], set[str]]] = field(default_factory=list, init=False, repr=False)
    keeper: Keeper | None = field(default=None, init=False, repr=False)
    outbox: Outbox = field(init=False, repr=False)
    # moto is not written for threads, and computes only: one at a time costs nothing.
    moto_turn: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)
    _regions: set[str] = field(default_factory=set, init=False, repr=False)
    _session: Any = field(default=None, init=False, repr=False)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self._deliver)

    def _deliver(self, posted: Posted) -> None:
        from aws_vpc.local import events  # which knows the world

        events.deliver(self, posted.region, posted.event, posted.bus)

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """The folder of data, certificates and bundles."""
        return self.root / "run"

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3-style client of a service against this embedded AWS; made once, used by any thread."""
        key = (service, region or self.region)
        found = self._clients.get(key)
        if found is None:
            with self._lock:  # sessions are not thread-safe, clients are
                found = self._clients.get(key) or self._make(*key)
                self._clients[key] = found
        return found

    def _make(self, service: str, region: str) -> Any:
        if self._session is None:
            self._session = botocore.session.Session(profile=None)
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=botocore.config.Config(
                retries={"max_attempts": 1},
                max_pool_connections=64,
                connect_timeout=5,
                read_timeout=120,
                ignore_configured_endpoint_urls=True,
            ),
        )
        if self.answer is not None:
            inside.connect(client, region, self.answer)
        return client

    def note_region(self, region: str) -> None:
        """Remember, for `local status`, that CloudFormation was asked in a Region."""
        if region not in self._regions:
            with self._lock:
                self._regions.add(region)
                draft = self.root / f"{REGIONS}.new"
                draft.write_text(json.dumps(sorted(self._regions)))
                draft.replace(self.root / REGIONS)

    def keep(
        self,
        name: str,
        owner: Any,
        *names: str,
        resume: Callable[[], Iterable[Waited] | None] | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        """Keep the named attributes of an object, where state is kept; `resume` is called after a start."""
        self.parts[name] = Part(owner, names, resume, lock)

    @property
    def keeping(self) -> bool:
        """Whether this embedded AWS keeps its state."""
        return self.keeper is not None

    def settle(self, service: str) -> None:
        """Wait until what was done to a service is on the disk; nothing where no state is kept."""
        if self.keeper is not None:
            self.keeper.touch(service)
            self.keeper.settle()

    def child_environment(self) -> dict[str, str]:
        """The environment of a process "in AWS": endpoint, credentials, Region, the CA, PATH, and no home."""
        binaries = str(Path(sys.executable).parent)
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            # Without a home, botocore would still find the user's own files through the password database.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SSL_CERT_FILE": str(self.certificates.trusted),
            "PGSSLROOTCERT": str(self.certificates.ca),
            "PATH": os.pathsep.join([binaries, os.environ.get("PATH", os.defpath)]),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
        }
