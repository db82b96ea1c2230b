"""CBOR (RFC 8949), as much as AWS's Smithy RPC protocol uses: what recent botocores speak with CodeDeploy."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_BREAK = object()


@dataclass(frozen=True)
class Timestamp:
    """Seconds since 1970, written with tag 1."""

    seconds: float


def encode(value: Any) -> bytes:
    """The value in CBOR."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case Timestamp():
            return b"\xc1" + encode(value.seconds)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            text = value.encode()
            return _head(3, len(text)) + text
        case list() | tuple():
            return _head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            return _head(5, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    raise TypeError(f"{type(value).__name__} has no CBOR form here")


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for code, size in ((24, "B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if number < 1 << 8 * struct.calcsize(size):
            return bytes([major << 5 | code]) + struct.pack(size, number)
    raise OverflowError(f"{number} does not fit into 64 bits")


def decode(data: bytes) -> Any:
    """The value that CBOR bytes hold; ValueError when they are cut short or not CBOR."""
    try:
        return _item(data, 0)[0]
    except (IndexError, struct.error, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not CBOR: {error}") from None


def _item(data: bytes, at: int) -> tuple[Any, int]:
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return _simple(data, info, at)
    if info == 31:
        return _indefinite(data, major, at)
    number, at = _number(data, info, at)
    match major:
        case 0:
            return number, at
        case 1:
            return -1 - number, at
        case 2 | 3:
            raw = data[at : at + number]
            if len(raw) < number:
                raise ValueError("not CBOR: cut short")
            return (raw if major == 2 else raw.decode()), at + number
        case 4 | 5:
            return _collection(data, major, number, at)
        case _:
            inner, at = _item(data, at)
            return (datetime.fromtimestamp(inner, UTC) if number == 1 else inner), at


def _number(data: bytes, info: int, at: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    form = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}[info] if info in (24, 25, 26, 27) else ""
    if not form:
        raise ValueError(f"not CBOR: length code {info}")
    return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)


def _collection(data: bytes, major: int, number: int, at: int) -> tuple[Any, int]:
    items = []
    for _ in range(number * (major - 3)):
        item, at = _item(data, at)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), at


def _indefinite(data: bytes, major: int, at: int) -> tuple[Any, int]:
    items = []
    while True:
        item, at = _item(data, at)
        if item is _BREAK:
            break
        items.append(item)
    if major in (2, 3):
        return (b"" if major == 2 else "").join(items), at
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), at


def _simple(data: bytes, info: int, at: int) -> tuple[Any, int]:
    if info in (25, 26, 27):
        form = {25: ">e", 26: ">f", 27: ">d"}[info]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if info == 31:
        return _BREAK, at
    if info not in (20, 21, 22, 23):
        raise ValueError(f"not CBOR: simple value {info}")
    return {20: False, 21: True, 22: None, 23: None}[info], at
