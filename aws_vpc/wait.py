"""How long to wait, and how often to look: one deadline with its clock and sleep passed in."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aws_vpc.errors import DeployFailed


@dataclass(frozen=True)
class Wait:
    """A deadline, and the clock and sleep that it is kept by."""

    deadline: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    longest: float = 5.0

    @classmethod
    def seconds(cls, seconds: float) -> "Wait":
        return cls(time.monotonic() + seconds)

    def pauses(self, what: str) -> Iterator[float]:
        """Yields the seconds waited so far, then pauses: short at first, longer later, to the deadline."""
        start = self.now()
        while True:
            yield self.now() - start
            if self.now() >= self.deadline:
                minutes = (self.now() - start) / 60
                raise DeployFailed(
                    f"{what} is not finished after {minutes:.0f} minutes; it goes on in AWS,"
                    " and the same command, run again, follows it"
                )
            pause = min(max(0.3, (self.now() - start) / 20), self.longest)
            self.sleep(max(0.0, min(pause, self.deadline - self.now())))
