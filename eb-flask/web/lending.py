"""SQLAlchemy's pool, with a short way for one statement on a connection that is known to be well.

A connection from the pool usually comes wrapped, so that it finds back even if it is forgotten, and can be
watched by events; that costs as much as the driver's own work on a lookup. Here nothing is wrapped: who
borrows gives back. Whatever is not plainly well takes the pool's usual way, with its ping and its
replacement.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

Borrowed = ConnectionPoolEntry | PoolProxiedConnection


class LendingPool(QueuePool):
    """A pool of connections that lends some of them unwrapped."""

    def lend(self, is_well: Callable[[Any], bool]) -> Borrowed:
        """A connection to be given back, one that is well if there is one, else the pool's usual way."""
        entry: Any = self._do_get()
        try:
            well = not entry._is_hard_or_soft_invalidated() and is_well(entry.dbapi_connection)
        except BaseException:
            self._do_return_conn(entry)
            raise
        if well:
            return entry  # type: ignore[no-any-return]
        self._do_return_conn(entry)
        return self.connect()

    def take_back(self, borrowed: Borrowed) -> None:
        """Gives a lent connection back."""
        if isinstance(borrowed, PoolProxiedConnection):
            borrowed.close()
        else:
            self._do_return_conn(borrowed)
