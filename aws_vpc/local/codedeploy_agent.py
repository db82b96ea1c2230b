"""The CodeDeploy agent of one instance: what each lifecycle event of a deployment does there.

codedeploy_appspec   the bundle: unpacked, its appspec.yml read, its files installed
codedeploy_hooks     its scripts run
machine, machine_units   where they run, and the units that they install and start
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_vpc.local.codedeploy_appspec import EventFailed as EventFailed
from aws_vpc.local.codedeploy_appspec import Release
from aws_vpc.local.codedeploy_hooks import run_event
from aws_vpc.local.machine import Machine
from aws_vpc.local.machine_units import Units
from aws_vpc.local.world import World

REVISIONS = 5  # as many as the agent keeps, unless configured otherwise
HOOKED = ("BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService")


@dataclass
class Agent:
    """The agent of an instance. `last` is the release that was deployed there with success."""

    machine: Machine
    units: Units
    last: Release | None = None
    installed: list[Path] = field(default_factory=list)

    @classmethod
    def of(cls, world: World, instance: str, region: str) -> Agent:
        """The agent of an instance that has had none."""
        machine = Machine(world, instance, region)
        return cls(machine, Units(machine))

    def release(self, deployment: dict[str, Any]) -> Release:
        """What a deployment, as the API shows it, brings to this instance."""
        return Release(
            application=deployment["applicationName"],
            group=deployment["deploymentGroupName"],
            deployment=deployment["deploymentId"],
            revision=deployment["revision"],
            machine=self.machine,
            file_exists=deployment.get("fileExistsBehavior", "DISALLOW"),
        )

    def steps(self, release: Release) -> dict[str, Callable[[], None]]:
        """What each lifecycle event of a deployment does here."""
        hooks = {event: self._hook(event, release) for event in HOOKED}
        return {
            "ApplicationStop": lambda: self._stop_application(release),
            "DownloadBundle": release.download,
            **hooks,
            "Install": lambda: self._install(release),
        }

    def succeeded(self, release: Release) -> None:
        """The release is what runs here now; of those before it the agent keeps a few."""
        self.last = release
        place = release.folder.parent
        others = [each for each in place.parent.iterdir() if each != place]
        for old in sorted(others, key=lambda each: each.stat().st_mtime)[: 1 - REVISIONS]:
            shutil.rmtree(old, ignore_errors=True)

    def _stop_application(self, release: Release) -> None:
        """Run the scripts of the release that was deployed last with success, from its own bundle."""
        if self.last is not None:
            run_event("ApplicationStop", self.last, self.units, release)

    def _hook(self, event: str, release: Release) -> Callable[[], None]:
        def run() -> None:
            if event == "BeforeInstall":
                release.read_appspec()
            run_event(event, release, self.units, release)

        return run

    def _install(self, release: Release) -> None:
        self.installed = release.install(self.installed)

    # ------------------------------------------------------------ the machine's own start and end

    def stop(self) -> None:
        """The machine is gone, with all that ran on it and was there."""
        self.units.stop_all()
        shutil.rmtree(self.machine.folder, ignore_errors=True)

    def reopen(self) -> None:
        """Start the units that start with the machine."""
        self.units.reopen()

    def finish(self) -> None:
        """Wait until they are there, have ended or take too long."""
        self.units.settle()
