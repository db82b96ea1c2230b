"""Printing and asking: answers to stdout, progress to stderr, questions only at a terminal."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console as Terminal
from rich.console import RenderableType
from rich.live import Live

from aws_vpc.errors import Error, Refused
from aws_vpc.events import Event
from aws_vpc.progress import Progress, draw
from aws_vpc.report import event_line


def close_stdout() -> None:
    """Lets what is left to write on stdout go nowhere, for the interpreter tries that again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass
class Console:
    """How a command speaks: as text or JSON, with or without progress, with or without questions."""

    json: bool = False
    quiet: bool = False
    yes: bool = False
    notes: list[str] = field(default_factory=list)
    # What goes on when the command is interrupted now, and how to get back to it.
    going_on: str = ""

    def say(self, text: str) -> None:
        """Tells on stderr what is going on."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Tells on stderr what the user should know, --quiet or not; it becomes part of the JSON, too."""
        self.notes.append(text)
        print(f"note: {text}", file=sys.stderr, flush=True)

    def answer(self, lines: Iterable[str], values: Mapping[str, Any]) -> None:
        """Gives the command's answer on stdout: the lines, or with --json the values."""
        if self.json:
            told = {**values, "notes": self.notes} if self.notes else values
            self.write(json.dumps(told, indent=2, default=str) + "\n")
        else:
            self.write("\n".join(lines) + "\n")

    def write(self, text: str) -> None:
        """Gives text on stdout; Error where it cannot be written, as on a full disk."""
        try:
            print(text, end="", flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            close_stdout()
            raise Error(f"the answer cannot be written to standard output: {error.strerror}") from error

    @property
    def asks(self) -> bool:
        """True when there is somebody to answer a question."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str, *, destroys: bool, answer: str = "--yes") -> None:
        """Returns when the user agrees; without a terminal only what destroys nothing is agreed to.

        `answer` is the option that answers it.
        """
        if self.yes or (not self.asks and not destroys):
            return
        if not self.asks:
            raise Refused(f"{question} Without a terminal this needs {answer}; nothing has been changed")
        if self.read(f"{question} [y/N] ").lower() not in {"y", "yes"}:
            raise Refused("nothing has been changed")

    def confirm_name(self, question: str, name: str) -> None:
        """Returns when the user has typed the name of what is to be deleted."""
        if self.yes:
            return
        if not self.asks:
            raise Refused(f"{question} Without a terminal this needs --yes; nothing has been changed")
        if self.read(f"{question} Type its name to go on: ") != name:
            raise Refused("that is not its name; nothing has been changed")

    def read(self, prompt: str) -> str:
        """A line from the terminal; the end of the input counts as no."""
        print(prompt, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    def watch(self, events: Iterable[Event]) -> list[Event]:
        """The events, all of them, after each has been shown: as a live tree, or as a line each."""
        if self.quiet:
            return list(events)
        if sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
            return self.watch_tree(events)
        return self.watch_lines(events)

    def watch_lines(self, events: Iterable[Event]) -> list[Event]:
        """The events, each printed as one line."""
        seen: list[Event] = []
        told: dict[tuple[str, ...], str] = {}
        for event in events:
            seen.append(event)
            # A nested stack's word about itself repeats its parent's; a resource says twice that it begins.
            if told.get(event.path) != event.status:
                self.say(event_line(event, seen[0].timestamp))
                told[event.path] = event.status
        return seen

    def watch_tree(self, events: Iterable[Event]) -> list[Event]:
        """The events, drawn as a tree that changes in place and stays in full at the end."""
        terminal = Terminal(stderr=True)
        progress, seen = Progress(), list[Event]()
        ahead = timedelta()  # AWS's clock before this machine's, of which only differences are shown

        def picture() -> RenderableType:
            # Drawn by another thread, so from a copy.
            now = Progress(dict(progress.nodes))
            return draw(now, datetime.now(UTC) + ahead, max(5, terminal.height - 4))

        with Live(get_renderable=picture, console=terminal, refresh_per_second=8, transient=True):
            for event in events:
                seen.append(event)
                progress.add(event)
                ahead = ahead or skew(event)
        terminal.print(draw(progress, datetime.now(UTC) + ahead))
        return seen


def skew(event: Event) -> timedelta:
    """How far AWS's clock is from this machine's, as an event that has just come shows; small is none."""
    found = event.timestamp - datetime.now(UTC)
    return found if abs(found) > timedelta(minutes=2) else timedelta()
