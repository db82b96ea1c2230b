"""Frames of the PostgreSQL wire protocol, version 3: one byte of kind, four of length, the rest."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator

from aws_vpc.local.warehouse.refusal import Refusal

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST, PROTOCOL = 80877103, 80877104, 80877102, 196608
HEADER = struct.Struct("!cI")
LENGTH = struct.Struct("!I")
STARTUP = struct.Struct("!II")
LONGEST_STARTUP = 10_000  # as PostgreSQL itself allows


def frame(kind: bytes, body: bytes = b"") -> bytes:
    """One message."""
    return HEADER.pack(kind, len(body) + 4) + body


def cut_off(buffer: bytearray, kinds: Container[int]) -> Iterator[tuple[bytes, bytes]]:
    """Takes whole messages out of the buffer: pairs of what goes on as it is and a message of these kinds.

    The last pair has no message. What is left in the buffer is the beginning of a message still to come.
    """
    done, start, size = 0, 0, len(buffer)
    while size - done >= HEADER.size:
        end = done + 1 + LENGTH.unpack_from(buffer, done + 1)[0]
        if end > size:
            break
        if buffer[done] in kinds:
            yield bytes(buffer[start:done]), bytes(buffer[done:end])
            start = end
        done = end
    yield bytes(buffer[start:done]), b""
    del buffer[:done]


def copy_data(chunk: bytes) -> bytes:
    """A piece of a COPY's input."""
    return HEADER.pack(b"d", len(chunk) + 4) + chunk


def _fields(pairs: dict[str, str]) -> bytes:
    return b"".join(name.encode() + value.encode() + b"\0" for name, value in pairs.items() if value) + b"\0"


def error(refusal: Refusal, severity: str = "ERROR") -> bytes:
    """An ErrorResponse."""
    position = str(refusal.position) if refusal.position else ""
    pairs = {
        "S": severity,
        "V": severity,
        "C": refusal.code,
        "M": refusal.message,
        "D": refusal.detail,
        "P": position,
    }
    return frame(b"E", _fields(pairs))


def notice(text: str, severity: str = "INFO") -> bytes:
    """A NoticeResponse."""
    return frame(b"N", _fields({"S": severity, "V": severity, "C": "00000", "M": text}))


def error_fields(message: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse, by their letters."""
    parts = message[5:].split(b"\0")
    return {chr(part[0]): part[1:].decode(errors="replace") for part in parts if part}


def startup(parameters: dict[bytes, bytes]) -> bytes:
    """A StartupMessage."""
    body = b"".join(name + b"\0" + value + b"\0" for name, value in parameters.items()) + b"\0"
    return STARTUP.pack(len(body) + 8, PROTOCOL) + body


def startup_parameters(packet: bytes) -> dict[bytes, bytes]:
    """The parameters of a StartupMessage, its length and version included."""
    parts = packet[8:].split(b"\0")
    return {name: value for name, value in zip(parts[0::2], parts[1::2], strict=False) if name}
