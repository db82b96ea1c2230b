"""Where embedded AWSs live: one folder for the one without a name, and one in it for each name."""

from __future__ import annotations

import os
from pathlib import Path

INSTANCES = "instances"  # holds the folders of those that have a name


def base_folder() -> Path:
    """$AWS_VPC_LOCAL_DIR, or .local in the project's root."""
    named = os.environ.get("AWS_VPC_LOCAL_DIR")
    return Path(named).resolve() if named else Path(__file__).resolve().parents[2] / ".local"


def default_folder() -> Path:
    """The folder of the embedded AWS that $AWS_VPC_LOCAL_NAME names, of the one without a name without it."""
    name = os.environ.get("AWS_VPC_LOCAL_NAME")
    return base_folder() / INSTANCES / name if name else base_folder()
