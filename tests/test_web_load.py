"""The pages under load while databases die, passwords rotate, the pool runs dry, the disk fills: counted.

Every answer is right or says that it is none; counts and the seconds until all is well are printed (-rP).
The quick setting sends requests for a second around each fault, AWS_VPC_TEST_ALL for ten.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from embedded import until
from web.secrets import BETWEEN_FETCHES
from web_process import started
from web_support import DRIVER_WARNINGS, PERSONS, Source, Web, running_web

web = pytest.fixture(running_web, scope="module")
pytestmark = DRIVER_WARNINGS

ALL = bool(os.environ.get("AWS_VPC_TEST_ALL"))
SECONDS = 10.0 if ALL else 0.4
PATIENT = 300  # for a machine that is busy
SOURCES = ("rds", "redshift")
ADDRESSES = {(name, person[0]): f"/{name}/people/{person[0]}.json" for name in SOURCES for person in PERSONS}


@pytest.fixture(scope="module")
def site(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of the pages, which the Procfile's command serves."""
    with started(tmp_path_factory.mktemp("pages"), {"WEB_CONCURRENCY": "2"}) as address:
        yield address.removeprefix("http://")


class Traffic:
    """Clients that look people up without a pause, and what they were told."""

    def __init__(self, site: str, clients: int = 6) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0
        self.last_refused: dict[str, float] = {}
        self._site = site
        self._stop = threading.Event()
        self._all_served = threading.Barrier(clients + 1)
        self._threads = [threading.Thread(target=self._client, args=(number,)) for number in range(clients)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Requests while the block runs, and for a while before and after."""
        for thread in self._threads:
            thread.start()
        self._all_served.wait(300)
        time.sleep(SECONDS)
        try:
            yield
        finally:
            time.sleep(SECONDS)
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def until_told(self, name: str, status: int) -> None:
        """Waits until a client is told this status of a database from now on."""
        before = self.counts[name, status]
        until(lambda: self.counts[name, status] > before)

    def _client(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._site, timeout=PATIENT)
        places = list(ADDRESSES.items())
        until_served(connection)
        self._all_served.wait(300)
        while not self._stop.is_set():
            (name, identifier), address = places[number % len(places)]
            number += 1
            began = time.monotonic()
            connection.request("GET", address)
            answer = connection.getresponse()
            self._note(name, identifier, answer, json.loads(answer.read()), began)
        connection.close()

    def _note(self, name: str, identifier: int, answer: Any, facts: dict[str, Any], began: float) -> None:
        self.counts[name, answer.status] += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status == 503:
            self.last_refused[name] = time.monotonic()
            if not answer.headers["Retry-After"]:
                self.wrong.append(f"{name}: 503 without Retry-After")
        elif answer.status != 200:
            self.wrong.append(f"{name}: {answer.status} {facts}")
        elif tuple(facts["persons"][0].values()) != PERSONS[identifier - 1]:
            self.wrong.append(f"{name}: {facts}")

    def report(self, fault: str, well_again: float = 0.0) -> None:
        """One line for people."""
        told = ", ".join(f"{name} {status}: {n}" for (name, status), n in sorted(self.counts.items()))
        print(f"{fault}: {told}; wrong {len(self.wrong)}; slowest {self.slowest:.2f} s; ", end="")
        print(f"well again {well_again:.2f} s after the server was")


def until_served(connection: http.client.HTTPConnection) -> None:
    """Waits until the worker at the other end serves both databases: each worker recovers by itself."""

    def served(name: str) -> bool:
        connection.request("GET", f"/{name}/people/1.json")
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200

    for name in SOURCES:
        until(partial(served, name))


def until_answered(site: str, address: str) -> None:
    """Waits until a page answers 200."""
    until(lambda: status(site, address) == 200)


def status(site: str, address: str) -> int:
    """The status of a page."""
    connection = http.client.HTTPConnection(site, timeout=PATIENT)
    try:
        connection.request("GET", address)
        return connection.getresponse().status
    finally:
        connection.close()


def kill(source: Source) -> None:
    """Ends a database server as the kernel does that runs out of memory: nothing is written out or said."""
    process = source.server._process
    assert process
    process.signal(signal.SIGKILL)
    process.wait()


def stop(source: Source) -> None:
    """Ends a database server as an operator does."""
    source.server.stop()


@pytest.mark.parametrize("end", [kill, stop] if ALL else [kill])
@pytest.mark.parametrize("name", SOURCES)
def test_a_database_killed_and_started_under_load_costs_no_wrong_answer(
    web: Web, site: str, name: str, end: Callable[[Source], None]
) -> None:
    source: Source = getattr(web, name)
    other = SOURCES[name == "rds"]
    traffic = Traffic(site)
    with traffic.running():
        end(source)
        traffic.until_told(name, 503)
        time.sleep(SECONDS)
        source.server.restart()
        back = time.monotonic()
        traffic.until_told(name, 200)
        time.sleep(SECONDS)
    well_again = max(0.0, traffic.last_refused[name] - back)
    traffic.report(f"{name}, {end.__name__} and start", well_again)
    assert traffic.wrong == []
    assert traffic.counts[name, 503] and traffic.counts[name, 200]
    assert not traffic.counts[other, 503], "the other database was never away"


@pytest.mark.parametrize("name", SOURCES)
def test_a_password_rotated_under_load_loses_no_request(web: Web, site: str, name: str) -> None:
    source: Source = getattr(web, name)
    traffic = Traffic(site)
    with traffic.running():
        for number in range(3 if ALL else 1):
            time.sleep(BETWEEN_FETCHES)
            web.rotate(source, f"rotated-{number}-Passw0rd")
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web_reader'"
            source.execute(cut)
            traffic.until_told(name, 200)
    traffic.report(f"{name} rotated")
    assert traffic.wrong == []
    assert not traffic.counts[name, 503] and traffic.counts[name, 200]


def test_an_exhausted_pool_refuses_at_once_and_serves_on(web: Web, tmp_path: Path) -> None:
    """A locked table holds every connection to one database; the process and the other database serve on."""
    with started(tmp_path, {"WEB_CONCURRENCY": "1", "WEB_THREADS": "7"}) as address:  # five connections
        site = address.removeprefix("http://")
        until_answered(site, "/rds/people/1")
        seen, enough = Counter[int](), threading.Event()

        def ask() -> None:
            while not enough.is_set():
                seen[status(site, "/rds/people/1")] += 1

        threads = [threading.Thread(target=ask) for _ in range(5)]
        with web.rds.server.session("people") as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE persons IN ACCESS EXCLUSIVE MODE")
            for thread in threads:
                thread.start()
            wait_for_waiting(web, 5)
            until(lambda: status(site, "/rds/people/2") == 503)
            assert status(site, "/redshift/people/1") == status(site, "/healthz") == 200
            if ALL:
                until(lambda: seen[504] >= 5)
            enough.set()
            cursor.execute("ROLLBACK")
        join(threads)
        print(f"locked: {dict(seen)}")
        assert set(seen) <= {200, 503, 504}, "served at last, refused, or cancelled at its limit"
        until_answered(site, "/rds/people/1")


def join(threads: list[threading.Thread]) -> None:
    """Waits until all have ended."""
    for thread in threads:
        thread.join()


def wait_for_waiting(web: Web, sessions: int) -> None:
    """Waits until so many sessions of the pages wait for the lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'web_reader' AND wait_event_type = 'Lock'"
    )
    with web.rds.server.session("people") as cursor:

        def all_wait() -> bool:
            cursor.execute(waiting)
            return bool(cursor.fetchone()[0] == sessions)

        until(all_wait)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte, of which nothing is left."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
    if made.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(not shutil.which("mount"), reason="no mount command")
def test_a_full_disk_refuses_the_upload_and_nothing_else(web: Web, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    with (
        small_disk(folder),
        started(tmp_path, {"WEB_CONCURRENCY": "1", "WEB_UPLOAD_FOLDER": str(folder)}) as address,
    ):
        site = address.removeprefix("http://")
        rows = b"id,email,state,postal,address\n" + b"1,ann@example.com,NY,10001,1 Main Street\n"
        large, small = rows + b"\n" * (3 << 20), rows
        seen = [sent(site, large), sent(site, small), sent(site, large), sent(site, small)]
        assert seen == [507, 303, 507, 303]
        assert status(site, "/rds/people/1") == 200
        assert not list(folder.iterdir()), "nothing of the refused uploads is left"
    print(f"full disk: {seen}")


def sent(site: str, content: bytes) -> int:
    """The status of an upload."""
    parts = b'--x\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\n'
    body = parts + content + b"\r\n--x--\r\n"
    connection = http.client.HTTPConnection(site, timeout=PATIENT)
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Origin": f"http://{site}"}
    try:
        connection.request("POST", "/loads", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
