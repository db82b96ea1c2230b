"""The generated files of the load benchmark, each written when it is first asked for."""

from __future__ import annotations

import csv
import io
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from aws_vpc.loader.people import HEADER, people

SAMPLE = 20_000


class Files:
    """Files of so many rows, and the bucket in which they become objects."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self._rows = folder, rows
        (folder / "data").mkdir(parents=True, exist_ok=True)
        self._tails = [_tail(row) for row in people(SAMPLE, 42)]

    def path(self, name: str) -> Path:
        """The file of that name."""
        path = self.folder / f"{name}-{self._rows}.csv"
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("w", encoding="utf-8", newline="") as file:
                file.write(",".join(HEADER) + "\n")
                file.writelines(getattr(self, f"_{name}")())
            part.rename(path)
        return path

    def publish(self, name: str, key: str) -> str:
        """The key, under which the file is an object now."""
        target = self.folder / "data" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(self.path(name), target)
        return key

    def withdraw(self) -> None:
        """Remove the objects; the files stay."""
        shutil.rmtree(self.folder / "data")

    def _row(self, number: int, shift: int = 0) -> str:
        return f"{number},p{number}.{self._tails[(number + shift) % SAMPLE]}"

    def _base(self) -> Iterator[str]:
        """Even numbers, so that others fit between."""
        return (self._row(2 * number) for number in range(1, self._rows + 1))

    def _new(self) -> Iterator[str]:
        return (self._row(2 * number) for number in range(self._rows + 1, 2 * self._rows + 1))

    def _between(self) -> Iterator[str]:
        return (self._row(2 * number + 1) for number in range(self._rows))

    def _half(self) -> Iterator[str]:
        """Every other row is there with another address, every other is new."""
        return (self._row(number, shift=7) for number in range(1, self._rows + 1))

    def _bad(self) -> Iterator[str]:
        """One row in a hundred has a fault: all kinds of them."""
        chance = random.Random(1)
        for number, row in enumerate(self._base(), 1):
            if number % 100:
                yield row
            else:
                yield chance.choice(
                    [f"x{row}", row.replace("@", "", 1), row[:20] + "\n", f"{row[:-1]},more\n"]
                )


def _tail(row: tuple[int, str, str, str, str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row[1:])
    return text.getvalue()
