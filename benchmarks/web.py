"""How fast the pages are, as ratios to yardsticks in the same run, on loopback.

    .venv/bin/python benchmarks/web.py [--rows 1000000] [--seconds 5] [--requests 100000] [--only lookup,...]

    parts    what a lookup costs in one thread, taken apart
    lookup   an indexed lookup per request, by gunicorn as the Procfile starts it, beside: the same server
             with a constant string (bare Flask, no log, no headers); the application with one; the
             walkthrough's way (a new client, secret fetch and connection for each request)
    clients  32 clients: lookups, and a query of 100 ms, with the same worker settings
    memory   a worker's memory over many requests
    page     100 of all people with a filter, beside the time that its statements take in the database
    csv      all people as CSV, beside COPY to standard output
    compare  RDS and Redshift compared row by row, and the worker's memory meanwhile

wrk sends the requests where it is installed, else threads of this process, which a quick server outruns.
Everything runs on two databases and a Secrets Manager that the benchmark starts and ends.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT / "eb-flask")]

import web_support  # noqa: E402
from web_traffic import Load, Noise, connections, load, served, spent, watched, workers  # noqa: E402

APPLICATION = "web_yardsticks"
LOOKUP = "/rds/people/{}.json"


class Folders:
    """The folders that the databases ask a test's fixture for."""

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    def mktemp(self, name: str) -> Path:
        """A new folder."""
        folder = self.root / name
        folder.mkdir()
        return folder


def fill(source: web_support.Source, rows: int) -> None:
    """People 10, 11, ... in the database, as the loader leaves them: keyed and analysed."""
    source.execute(
        "DELETE FROM persons WHERE id >= 10",
        "INSERT INTO persons SELECT n, 'person' || n || '@example.com',"
        " (ARRAY['NY', 'CA', 'TX', 'WA'])[1 + mod(n, 4)],"
        f" lpad(mod(n, 99999)::text, 5, '0'), n || ' Main Street' FROM generate_series(10, {rows + 3}) n",
        "ANALYZE persons",
    )


def verdict(name: str, value: float, aim: float, unit: str = "", *, most: bool = False) -> None:
    """One line: a figure beside its aim."""
    held = value <= aim if most else value >= aim
    sign = "at most" if most else "at least"
    print(f"{'holds ' if held else 'MISSED'}  {name}: {value:.2f}{unit} ({sign} {aim:g}{unit})", flush=True)


def lookup(seconds: float) -> None:
    """A lookup beside a constant string and beside the walkthrough's way; each three times in turn."""
    seen: dict[str, list[Load]] = {}
    cpu: dict[str, list[float]] = {}
    paths = {
        "constant, bare": (f"{APPLICATION}:bare", "/constant"),
        "constant, ours": (f"{APPLICATION}:ours", "/constant"),
        "lookup, JSON": (f"{APPLICATION}:ours", LOOKUP.format(5000)),
        "lookup, HTML": (f"{APPLICATION}:ours", "/rds/people/5000"),
        "lookup, Redshift": (f"{APPLICATION}:ours", "/redshift/people/5000.json"),
        "walkthrough": (f"{APPLICATION}:walkthrough", "/rds/person5000@example.com"),
    }
    noise = Noise()
    for _ in range(3):
        for name, (application, path) in paths.items():
            with served(application) as (address, process):
                load(address + path, 8, 1)
                before = spent(process)
                seen.setdefault(name, []).append(measured := load(address + path, 8, seconds))
                cpu.setdefault(name, []).append((spent(process) - before) / max(measured.rate * seconds, 1))
    print("8 clients, the middle of three runs; CPU of the workers for one request")
    print(f"  (other processes used {noise.cpus():.2f} CPUs meanwhile)")
    middle = {name: sorted(runs, key=lambda run: run.rate)[1] for name, runs in seen.items()}
    for name, run in middle.items():
        print(f"  {name:18}{run}   {statistics.median(cpu[name]) * 1e6:6.0f} us")
    rate = {name: run.rate for name, run in middle.items()}
    verdict("lookup : constant string (bare)", rate["lookup, JSON"] / rate["constant, bare"], 0.5)
    verdict(
        "lookup : constant string (the same application)", rate["lookup, JSON"] / rate["constant, ours"], 0.5
    )
    verdict("lookup : the walkthrough's way", rate["lookup, JSON"] / rate["walkthrough"], 25)


def many_clients(seconds: float) -> None:
    """32 clients: lookups, and a query of 100 ms."""
    with served(f"{APPLICATION}:ours") as (address, process):
        load(address + LOOKUP.format(5000), 32, 2)
        noise = Noise()
        with ThreadPoolExecutor(1) as beside:
            measured = beside.submit(load, address + LOOKUP.format(5000), 32, seconds)
            time.sleep(seconds / 2)
            spread = connections(process)
            quick = measured.result()
        others = noise.cpus()
        load(address + "/slow", 32, 2)
        slow = load(address + "/slow", 32, max(seconds, 5))
    print(f"32 clients, connections of each worker {spread}; other processes used {others:.2f} CPUs")
    print(f"  lookup            {quick}\n  query of 100 ms   {slow}")
    verdict("p99 of lookups", quick.p99, 30, " ms", most=True)
    verdict("queries of 100 ms", slow.rate, 200, " /s")


def memory(requests: int) -> None:
    """What a worker weighs before and after many requests."""
    with served(f"{APPLICATION}:ours") as (address, process):
        url = address + LOOKUP.format(5000)
        sizes = []
        for _ in range(5):
            rate = load(url, 8, 1).rate
            load(url, 8, max(1.0, requests / 5 / rate))
            sizes.append([worker.memory_info().rss / 1e6 for worker in workers(process)])
    for number, row in enumerate(sizes, 1):
        print(f"  after {number * requests // 5:7} requests: " + ", ".join(f"{size:.1f} MB" for size in row))
    growth = max(last - first for first, last in zip(sizes[1], sizes[-1], strict=True))
    verdict("a worker's growth over the last three fifths", growth, 2, " MB", most=True)


def median_milliseconds(ask: Callable[[], Any], times: int = 9) -> float:
    """The middle of several runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def page() -> None:
    """A page of 100 with a filter, beside the time that its statements take in the database."""
    for query in ("state=CA&postal__gte=50000", "q=person99&sort=-email", "state=CA&facet=state"):
        with served(f"{APPLICATION}:ours") as (address, _):
            url, inside = f"{address}/rds/people?{query}", []

            def ask(url: str = url, inside: list[float] = inside) -> None:
                with urllib.request.urlopen(url) as answer:
                    answer.read()
                    inside.append(float(answer.headers["Server-Timing"].split("=")[1]))

            ask()
            whole = median_milliseconds(ask)
            database = statistics.median(inside)
        print(f"  {query}: {whole:.1f} ms, of it in the database {database:.1f} ms")
        verdict("around the database", whole - database, 15, " ms", most=True)


def csv(web: web_support.Web) -> None:
    """Everybody as CSV beside COPY by the same login over TLS, and the worker's memory meanwhile."""
    copy = median_milliseconds(lambda: copied(web), 3)
    with served(f"{APPLICATION}:ours") as (address, process):
        urllib.request.urlopen(f"{address}/rds/people.csv?size=20&id__lte=10").read()
        highest = [0.0]
        done = threading.Event()
        watch = threading.Thread(target=watched, args=(process, done, highest))
        watch.start()
        took = median_milliseconds(lambda: drained(f"{address}/rds/people.csv"), 3)
        done.set()
        watch.join()
    print(f"  COPY to standard output {copy / 1000:.2f} s, the pages {took / 1000:.2f} s")
    verdict("CSV : COPY", copy / took, 0.3)
    verdict("the worker's memory meanwhile", highest[0], 150, " MB", most=True)


def compare(web: web_support.Web, rows: int) -> None:
    """Everybody on both sides."""
    fill(web.redshift, rows)
    with served(f"{APPLICATION}:ours") as (address, process):
        highest, done = [0.0], threading.Event()
        watch = threading.Thread(target=watched, args=(process, done, highest))
        watch.start()
        found, after = 0, f"{address}/compare.json"
        began = time.perf_counter()
        while after:
            with urllib.request.urlopen(after) as answer:
                facts = json.load(answer)
            found += facts["compared"]
            after = facts["next"] and f"{address}{facts['next'].replace('/compare', '/compare.json', 1)}"
        took = time.perf_counter() - began
        done.set()
        watch.join()
    print(f"  {found:,} rows in {took:.1f} s, {found / took:,.0f} a second")
    verdict("the worker's memory meanwhile", highest[0], 150, " MB", most=True)


def copied(web: web_support.Web) -> None:
    """Reads the table by COPY, as psql does, over TLS."""
    import psycopg2

    login = {"user": "web_reader", "password": web.rds.password, "dbname": "people"}
    connection = psycopg2.connect(host="localhost", port=web.rds.port, sslmode="verify-full", **login)
    with connection.cursor() as cursor, open(os.devnull, "wb") as sink:  # noqa: PTH123
        cursor.copy_expert("COPY (SELECT * FROM persons) TO STDOUT WITH (FORMAT csv, HEADER)", sink)
    connection.close()


def drained(url: str) -> None:
    """Reads an answer to its end."""
    with urllib.request.urlopen(url) as answer:
        while answer.read(1 << 20):
            pass


def parts() -> None:
    """What a lookup costs in one thread without a server, layer by layer."""
    import web_yardsticks

    for name, microseconds in web_yardsticks.parts():
        print(f"  {name:58}{microseconds:7.0f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the web pages against yardsticks.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--only", default="parts,lookup,clients,memory,page,csv,compare")
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the answers of the Secrets Manager
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as stack:
        Path(root).chmod(0o755)
        servers = stack.enter_context(contextlib.contextmanager(web_support.running_servers)(Folders(root)))
        web = stack.enter_context(contextlib.contextmanager(web_support.running_web)(servers))
        fill(web.rds, given.rows)
        fill(web.redshift, 10_000)
        wanted: dict[str, Callable[[], None]] = {
            "parts": parts,
            "lookup": lambda: lookup(given.seconds),
            "clients": lambda: many_clients(given.seconds),
            "memory": lambda: memory(given.requests),
            "page": page,
            "csv": lambda: csv(web),
            "compare": lambda: compare(web, given.rows),
        }
        for name in given.only.split(","):
            print(
                f"\n{name}, {given.rows:,} rows" if name in ("page", "csv", "compare") else f"\n{name}",
                flush=True,
            )
            wanted[name]()


if __name__ == "__main__":
    main()
