"""Rows of bits, packed eight to a byte with the lowest first: painted, joined, turned and counted.

A row over n columns is ceil(n / 8) bytes of uint8; a matrix of m rows is an array of shape (m, bytes).
Bits past column n are always 0.
"""

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
Numbers = NDArray[np.int64]

# The three steps that turn a block of 8 by 8 bits held in 64: (distance, bits that move towards it).
# Hacker's Delight, 2nd edition, section 7-3.
TURNS = (
    (np.uint64(7), np.uint64(0x00AA00AA00AA00AA)),
    (np.uint64(14), np.uint64(0x0000CCCC0000CCCC)),
    (np.uint64(28), np.uint64(0x00000000F0F0F0F0)),
)
BLOCK = 256


def width(columns: int) -> int:
    """The bytes of a row."""
    return (columns + 7) // 8


def packed(flags: NDArray[np.bool_]) -> Bits:
    """Flags along the last axis as bits."""
    return np.packbits(flags, axis=-1, bitorder="little")


def unpacked(bits: Bits, columns: int) -> NDArray[np.bool_]:
    """Bits along the last axis as flags."""
    return np.unpackbits(bits, axis=-1, count=columns, bitorder="little").view(np.bool_)


def painted(rows: int, columns: int, row: Numbers, start: Numbers, end: Numbers) -> Bits:
    """Bits where any of the half-open runs [start, end) of its row lies; the runs come in any order."""
    found = np.zeros((rows, width(columns)), np.uint8)
    order = np.argsort(row, kind="stable")
    row, start, end = row[order], start[order], end[order]
    for first in range(0, rows, BLOCK):
        last = min(first + BLOCK, rows)
        here = slice(*np.searchsorted(row, (first, last)))
        if here.start == here.stop:
            continue
        steps = np.zeros((last - first, columns + 1), np.int32)
        np.add.at(steps, (row[here] - first, start[here]), 1)
        np.add.at(steps, (row[here] - first, end[here]), -1)
        found[first:last] = packed(np.cumsum(steps, axis=1)[:, :columns] > 0)
    return found


def joined(table: Bits, row: Numbers, part: Numbers, rows: int) -> Bits:
    """Row r is the union of `table[part[k]]` over all k with `row[k] == r`; a row without parts is empty."""
    found = np.zeros((rows, table.shape[1]), np.uint8)
    if not len(row):
        return found
    order = np.argsort(row, kind="stable")
    row, part = row[order], part[order]
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    for first in range(0, len(starts), BLOCK * 8):
        chosen = starts[first : first + BLOCK * 8]
        stop = starts[first + BLOCK * 8] if first + BLOCK * 8 < len(starts) else len(row)
        pieces = table[part[chosen[0] : stop]]
        found[row[chosen]] = np.bitwise_or.reduceat(pieces, chosen - chosen[0], axis=0)
    return found


def turned(bits: Bits, columns: int) -> Bits:
    """The matrix with rows and columns exchanged: (m, width(n)) becomes (n, width(m))."""
    rows = bits.shape[0]
    high = width(rows)
    square = np.zeros((high * 8, bits.shape[1]), np.uint8)
    square[:rows] = bits
    blocks = np.ascontiguousarray(square.reshape(high, 8, -1).transpose(2, 0, 1)).view("<u8")[..., 0]
    for distance, mask in TURNS:
        moved = (blocks ^ (blocks >> distance)) & mask
        blocks ^= moved ^ (moved << distance)
    lines = blocks[..., None].view(np.uint8).transpose(0, 2, 1)
    return np.ascontiguousarray(lines).reshape(-1, high)[:columns]


def count(bits: Bits) -> int:
    """How many bits are set."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))
