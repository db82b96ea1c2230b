"""gunicorn's workers share the connections evenly: who holds more lets another go first, for a moment."""

import os
import socket
from collections.abc import Iterator

import pytest
import web_support  # noqa: F401  (the bundle is importable)
from gunicorn.config import Config
from gunicorn.glogging import Logger
from web import workers
from web.workers import ABSENT, BalancedWorker


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BalancedWorker]]:
    """Two workers, as the arbiter makes them; what they accept is only counted."""
    monkeypatch.setattr(BalancedWorker, "counts", workers.shared_counts())
    monkeypatch.setattr(BalancedWorker, "enqueue_req", lambda *_: None)
    config = Config()
    made = [BalancedWorker(age, os.getpid(), [], None, 30, config, Logger(config)) for age in (1, 2)]
    for worker in made:
        worker._accepting = True
        worker.notify()
    yield made
    for worker in made:
        worker.tmp.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket on which several clients wait to be accepted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = [socket.create_connection(server.getsockname()) for _ in range(4)]
        yield server
        for client in clients:
            client.close()


def take(worker: BalancedWorker, listener: socket.socket) -> int:
    """How many connections the worker has after a turn of its loop that saw somebody waiting."""
    worker.accept(listener)
    worker.notify()
    return worker.nr_conns


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_connections_are_taken_in_turn(
    pair: list[BalancedWorker], listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", float("inf"))
    one, other = pair
    assert [take(one, listener), take(one, listener)] == [1, 1], "the other, with none, goes first"
    assert [take(other, listener), take(other, listener)] == [1, 2], "as many each: whoever comes first"
    assert [take(other, listener), take(one, listener)] == [2, 2]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_nobody_waits_for_a_worker_that_does_not_come(
    pair: list[BalancedWorker], listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0.0)
    assert [take(pair[0], listener), take(pair[0], listener)] == [1, 2]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("gone", ["it ended", "it stops", "it is full"])
def test_a_worker_that_takes_nobody_is_not_counted(
    pair: list[BalancedWorker], listener: socket.socket, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", float("inf"))
    one, other = pair
    if gone == "it ended":
        other.leave()
    else:
        other._accepting = False
        other.notify()
    assert other.counts[2] == ABSENT
    assert [take(one, listener), take(one, listener)] == [1, 2]
