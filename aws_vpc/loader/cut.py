"""Where a record of CSV ends, as Python's csv module has it, in time linear in its length and little memory.

A short record is found by one regex. What that keeps for each pair of quotes and each field would fill memory
on a record of megabytes, so a longer one is walked from mark to mark. No possessive quantifier: before Python
3.11.3 they match what they should not (python/cpython#100061).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from aws_vpc.loader.tables import Dialect

SHORT = 16 << 10
LINE_END = rb"\r\n|\n|\r(?=[^\n])"


class Record(NamedTuple):
    """A record without its line end, and where the next one begins."""

    raw: bytes
    whole: bytes
    end: int


class Cutter:
    """Finds the ends of records in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._quote = dialect.quote.encode()
        delimiter, quote = re.escape(dialect.delimiter.encode()), re.escape(self._quote)
        escape = re.escape(dialect.escape.encode())
        self._short = _short(delimiter, quote, escape)
        escaped = b"|%b." % escape if escape else b""
        self._in_quotes = re.compile(quote * 2 + escaped + b"|" + quote, re.DOTALL)
        opening = b"%b(?=%b)" % (delimiter, quote)
        self._outside = re.compile(b"(%b)|(%b)%b" % (opening, LINE_END, escaped), re.DOTALL)

    def match(self, buffer: bytes, start: int) -> Record | None:
        """The record that begins at `start`; None when its end is not in the buffer."""
        if found := self._short.match(buffer, start, start + SHORT):
            return Record(found[1], found[0], found.end())
        if len(buffer) - start < SHORT:
            return None
        line_end = self._walk(buffer, start)
        if line_end is None:
            return None
        return Record(buffer[start : line_end.start()], buffer[start : line_end.end()], line_end.end())

    def _walk(self, buffer: bytes, position: int) -> re.Match[bytes] | None:
        """The line end of the record, from one quoted field to the next."""
        while True:
            if buffer.startswith(self._quote, position):
                closed = self._closing(buffer, position + 1)
                if closed is None:
                    return None
                position = closed
            stop = next((one for one in self._outside.finditer(buffer, position) if one.lastindex), None)
            if stop is None or stop[2]:
                return stop
            position = stop.end()

    def _closing(self, buffer: bytes, position: int) -> int | None:
        for mark in self._in_quotes.finditer(buffer, position):
            if mark[0] == self._quote:
                return mark.end()
        return None


def _short(delimiter: bytes, quote: bytes, escape: bytes) -> re.Pattern[bytes]:
    """A record of any dialect; its line end may not be the last byte when that is a carriage return."""
    one, pair = b"[^%b\\r\\n%b]*" % (delimiter, escape), b"(?:%b|%b.)" % (quote * 2, escape)
    plain = one + b"(?:%b.%b)*" % (escape, one) if escape else one
    some = b"[^%b%b]*" % (quote, escape)
    quoted = quote + some + b"(?:%b%b)*" % (pair if escape else quote * 2, some) + quote + b"(?!%b)" % quote
    value = b"(?:%b%b|(?!%b)%b)" % (quoted, plain, quote, plain)
    text = b"(%b(?:%b%b)*)(?:%b)" % (value, delimiter, value, LINE_END)
    return re.compile(text, re.DOTALL)
