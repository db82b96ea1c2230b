"""Commands whose answer cannot go where it should: a full disk, a reader that has gone, a closed stream."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = [sys.executable, "-m", "aws_vpc", "reach", "WebServer", "Database", "--port", "5432"]
FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "JSON"])
def test_a_full_disk_is_one_line(more: list[str]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run([*WORDS, *more], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    line = "aws-vpc: the answer cannot be written to standard output: No space left on device\n"
    assert done.stderr == line


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "JSON"])
def test_a_reader_that_has_gone_is_no_fault(more: list[str]) -> None:
    end, start = os.pipe()
    os.close(end)
    try:
        done = subprocess.run([*WORDS, *more], stdout=start, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(start)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_opened_does_not_take_the_place_of_a_closed_stream() -> None:
    script = "import os, sys; from aws_vpc.cli import open_streams; open_streams()"
    script += "; print(min(os.pipe()) > 2, file=sys.stderr)"
    closed = ["sh", "-c", 'exec "$@" <&- >&-', "sh", sys.executable, "-c", script]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, check=True)
    assert done.stderr == "True\n"
