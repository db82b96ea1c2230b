"""Servers under the Procfile's gunicorn, and the load that benchmarks/web.py sends to them."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import statistics
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
from web_process import BESIDE_PYTHON, procfile

from aws_vpc.local.postgres import free_port

PROJECT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def served(application: str) -> Iterator[tuple[str, psutil.Process]]:
    """The address of an application under the Procfile's gunicorn and its settings, and the process."""
    port = free_port()
    command = [*procfile()[:-1], application]
    environment = {**os.environ, **BESIDE_PYTHON, "PORT": str(port), "BIND_ADDRESS": "127.0.0.1"}
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    process = psutil.Popen(
        command,
        cwd=PROJECT / "eb-flask",
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(30)


class Load:
    """Requests per second, the middle and the slowest hundredth in ms, and how many answers were wrong."""

    def __init__(self, rate: float, p50: float, p99: float, wrong: int) -> None:
        self.rate, self.p50, self.p99, self.wrong = rate, p50, p99, wrong

    def __str__(self) -> str:
        wrong = f", {self.wrong} wrong" if self.wrong else ""
        return f"{self.rate:8.0f} /s   p50 {self.p50:6.1f} ms   p99 {self.p99:6.1f} ms{wrong}"


MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}


def duration(text: str) -> float:
    """Milliseconds of what wrk writes as 1.23ms."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * MILLISECONDS[unit]


def load(url: str, clients: int, seconds: float) -> Load:
    """What the server does for so many clients that ask without a pause."""
    urllib.request.urlopen(url).read()
    if not shutil.which("wrk"):
        return by_threads(url, clients, seconds)
    argv = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "10s", "--latency", url]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    p50, p99 = (duration(re.search(rf"(?m)^ +{share}% +(\S+)", text)[1]) for share in (50, 99))  # type: ignore[index]
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])  # type: ignore[index]
    return Load(rate, p50, p99, int(wrong[1]) if wrong else 0)


def by_threads(url: str, clients: int, seconds: float) -> Load:
    """The same by threads of this process."""
    host, path = re.fullmatch(r"http://([^/]+)(/.*)", url).groups()  # type: ignore[union-attr]
    times: list[float] = []
    wrong: list[int] = []
    end = time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection(host, timeout=10)
        while (began := time.perf_counter()) < end:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            times.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                wrong.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spread = statistics.quantiles(times, n=100)
    return Load(len(times) / seconds, spread[49], spread[98], len(wrong))


def workers(process: psutil.Process) -> list[psutil.Process]:
    """The worker processes."""
    found: list[psutil.Process] = process.children()
    return found


def spent(process: psutil.Process) -> float:
    """CPU seconds that the workers have spent."""
    return sum(sum(worker.cpu_times()[:2]) for worker in workers(process))


def watched(process: psutil.Process, done: threading.Event, highest: list[float]) -> None:
    """Notes the largest worker in MB until it is over."""
    while not done.wait(0.05):
        highest[0] = max(highest[0], *(worker.memory_info().rss / 1e6 for worker in workers(process)))


class Noise:
    """How many CPUs others than this benchmark's processes use: beside much of it the figures are too low."""

    def __init__(self) -> None:
        self._began, self._all, self._ours = time.perf_counter(), everybody(), ourselves()

    def cpus(self) -> float:
        """The CPUs that others used since."""
        seconds = time.perf_counter() - self._began
        return max(0.0, (everybody() - self._all) - (ourselves() - self._ours)) / seconds


def ourselves() -> float:
    """CPU seconds that this process and all it started have spent, those that have ended as well."""
    me, seconds = psutil.Process(), 0.0
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            seconds += sum(process.cpu_times()[:4])
    return seconds


def everybody() -> float:
    """CPU seconds that all processes have spent."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def connections(process: psutil.Process) -> str:
    """How many connections each worker holds, as 16/16."""
    return "/".join(
        str(sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in found))
        for worker in workers(process)
        for found in [worker.net_connections()]
        for port in [int(process.environ()["PORT"])]
    )
