"""Zstandard: decompression in bounded memory, and where the frames of an object begin (RFC 8878, 3.1).

Frames are independent of each other, so an object of several can be read from the beginning of any; one that
`zstd` wrote in one go has a single frame, whatever its size, `pzstd` and `cat a.zst b.zst` make several.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import zstandard

from aws_vpc.loader.errors import LoadFailed

PIECE = 1 << 20  # of decompressed bytes at a time, however well they were compressed
WINDOW = 32 << 20  # `zstd -19` has 8 MB; `--ultra -22` and `--long` ask for more
MAGIC, SKIPPABLE = 0xFD2FB528, range(0x184D2A50, 0x184D2A60)
RLE = 1


def read_zstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The decompressed chunks of one frame or of several in a row."""
    frames = Frames()
    file = io.BufferedReader(_File(frames.passing(chunks)), PIECE)
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    try:
        with decompressor.stream_reader(file, read_across_frames=True) as reader:
            while piece := reader.read(PIECE):
                yield piece
    except zstandard.ZstdError as error:
        raise LoadFailed(f"the object is not zstd, damaged, or its window is over 32 MB: {error}") from error
    if not frames.complete:
        raise LoadFailed("the zstd object ends too early: it was cut off")


class _File(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


class Frames:
    """Follows the frames of an object whose bytes go by; nothing is decompressed."""

    def __init__(self, begins: Callable[[int], object] = lambda offset: None) -> None:
        self.complete = True
        self._begins, self._offset, self._held = begins, 0, bytearray()
        self._walk = self._frames()
        self._wanted = next(self._walk)

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks as they are, after they have been followed."""
        for chunk in chunks:
            self.feed(chunk)
            yield chunk

    def feed(self, chunk: bytes) -> None:
        """Follow the next bytes: as many as wanted are looked at (a positive number) or passed over."""
        rest = memoryview(chunk)
        while rest:
            taken = rest[: abs(self._wanted) - len(self._held)] if self._wanted > 0 else rest[: -self._wanted]
            rest = rest[len(taken) :]
            self._offset += len(taken)
            self.complete = False
            if self._wanted < 0:
                self._wanted += len(taken)
            else:
                self._held += taken
            if self._wanted == 0 or len(self._held) == self._wanted:
                held, self._held = bytes(self._held), bytearray()
                self._wanted = self._walk.send(held)

    def _frames(self) -> Generator[int, bytes, None]:
        while True:
            self.complete = True
            begin = self._offset
            magic = int.from_bytes((yield 4), "little")
            if magic in SKIPPABLE:
                yield from _passed(int.from_bytes((yield 4), "little"))
            elif magic == MAGIC:
                self._begins(begin)
                yield from _frame()
            else:
                raise LoadFailed("the object is not zstd, or damaged: a frame does not begin with its mark")


def _frame() -> Generator[int, bytes, None]:
    described = (yield 1)[0]
    single, checksum = described >> 5 & 1, described >> 2 & 1
    content = (single, 2, 4, 8)[described >> 6]
    yield from _passed((1 - single) + (0, 1, 2, 4)[described & 3] + content)
    last = False
    while not last:
        block = int.from_bytes((yield 3), "little")
        last = bool(block & 1)
        yield from _passed(1 if block >> 1 & 3 == RLE else block >> 3)
    yield from _passed(4 * checksum)


def _passed(length: int) -> Generator[int, bytes, None]:
    if length:
        yield -length
