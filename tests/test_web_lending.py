"""The pool lends a connection that is well as it is, replaces any other, and has all back in the end."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
import web_support  # noqa: F401  (the bundle is importable)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from web.lending import LendingPool


@pytest.fixture
def engine() -> Iterator[sqlalchemy.Engine]:
    """An engine with two connections at most, of SQLite's, which needs no server."""
    engine = sqlalchemy.create_engine(
        "sqlite://", poolclass=LendingPool, pool_size=2, max_overflow=0, pool_timeout=0
    )
    yield engine
    engine.dispose()


def pool(engine: sqlalchemy.Engine) -> LendingPool:
    """The pool of an engine."""
    assert isinstance(engine.pool, LendingPool)
    return engine.pool


@pytest.mark.parametrize("well", [True, False])
def test_every_connection_comes_back(engine: sqlalchemy.Engine, well: bool) -> None:
    lent = [pool(engine).lend(lambda _: well) for _ in range(2)]
    assert len({id(one.dbapi_connection) for one in lent}) == 2
    with pytest.raises(PoolTimeout):
        pool(engine).lend(lambda _: well)
    for one in lent:
        pool(engine).take_back(one)
    assert pool(engine).checkedout() == 0
    with engine.connect(), engine.connect():
        assert pool(engine).checkedout() == 2


def test_one_that_was_invalidated_is_replaced(engine: sqlalchemy.Engine) -> None:
    lent = pool(engine).lend(lambda _: True)
    before = lent.dbapi_connection
    lent.invalidate()
    pool(engine).take_back(lent)
    again = pool(engine).lend(lambda _: True)
    assert again.dbapi_connection not in (None, before)
    pool(engine).take_back(again)
    assert pool(engine).checkedout() == 0


def test_one_that_cannot_be_looked_at_is_not_lost(engine: sqlalchemy.Engine) -> None:
    def fails(connection: Any) -> bool:
        raise RuntimeError(connection)

    with pytest.raises(RuntimeError):
        pool(engine).lend(fails)
    assert pool(engine).checkedout() == 0
