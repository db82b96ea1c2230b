"""A unit file of systemd as values: its sections, and when its unit starts again by itself.

systemd.service(5) and systemd.unit(5). Timeouts and watchdogs restart nothing here: a start that takes too
long is told by `systemctl start` alone.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass

Settings = dict[str, list[str]]
START_SECONDS = 90.0  # DefaultTimeoutStartSec
CLEAN_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
CLEAN, UNCLEAN_EXIT, UNCLEAN_SIGNAL = "clean", "unclean exit", "unclean signal"
# Restart= -> the ends after which the unit starts again
AFTER = {
    "always": (CLEAN, UNCLEAN_EXIT, UNCLEAN_SIGNAL),
    "on-success": (CLEAN,),
    "on-failure": (UNCLEAN_EXIT, UNCLEAN_SIGNAL),
    "on-abnormal": (UNCLEAN_SIGNAL,),
    "on-abort": (UNCLEAN_SIGNAL,),
}
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 0.001, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class RestartPolicy:
    """When a unit starts again whose main process has ended by itself."""

    after: tuple[str, ...]
    rest: float  # seconds before it does
    interval: float  # seconds in which it may not start more often than the burst; 0: as often as it likes
    burst: int

    def restarts(self, status: int) -> bool:
        """Whether it starts again after this exit status; below zero that is the number of a signal."""
        if status >= 0:
            return (UNCLEAN_EXIT if status else CLEAN) in self.after
        return (CLEAN if -status in CLEAN_SIGNALS else UNCLEAN_SIGNAL) in self.after

    def too_often(self, starts: list[float], now: float) -> bool:
        """Whether it has started as often as it may."""
        return self.interval > 0 and sum(now - moment < self.interval for moment in starts) >= self.burst


def restart_policy(service: Settings, unit: Settings) -> RestartPolicy:
    """The policy that the sections [Service] and [Unit] state, with systemd's defaults."""
    burst = last(unit, "StartLimitBurst", "5")
    return RestartPolicy(
        AFTER.get(last(service, "Restart"), ()),
        span(last(service, "RestartSec"), 0.1),
        span(last(unit, "StartLimitIntervalSec"), 10.0),
        int(burst) if burst.isdigit() else 5,
    )


def span(text: str, default: float) -> float:
    """The seconds of a time span such as `2`, `500ms` or `1min 30s`; the default when it is none."""
    parts = SPAN.findall(text)
    if not parts or any(unit not in UNITS for _, unit in parts):
        return default
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def section(text: str, name: str) -> Settings:
    """The settings of one section of a unit file, each with all its values."""
    found: Settings = {}
    here = False
    for line in (line.strip() for line in text.replace("\\\n", " ").splitlines()):
        if line.startswith("["):
            here = line == f"[{name}]"
        elif here and "=" in line and not line.startswith(("#", ";")):
            key, _, value = line.partition("=")
            found.setdefault(key.strip(), []).append(value.strip())
    return found


def last(settings: Settings, name: str, default: str = "") -> str:
    """The value that counts of a setting that may stand once."""
    return settings.get(name, [default])[-1]


def seconds(settings: Settings) -> float:
    """How long the unit may take to start."""
    return span(last(settings, "TimeoutStartSec"), START_SECONDS)


def pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    """KEY and VALUE of lines KEY=VALUE."""
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith(("#", ";")):
            yield key, value
