"""What the embedded AWS does before anybody asks: imports, models and lists that take their time."""

from __future__ import annotations

import gc
import importlib
import logging
from contextlib import suppress

from aws_vpc.local.front import WHOLE, Front
from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

# What a first call would import or read, the slowest first; done in the background instead.
WARM = (
    "cloudformation",
    "iam",
    "ec2",
    "s3",
    "rds",
    "redshift",
    "batch",
    "secretsmanager",
    "logs",
    "ssm",
    "ecr",
    "events",
    "sts",
)


def warm(front: Front, world: World) -> None:
    """Import and read ahead what the first deploy would otherwise wait for."""
    for service in WARM:
        try:
            if service not in WHOLE:
                importlib.import_module(f"moto.{service}.responses")
            front.handler(service)
            world.client(service)
        except Exception:
            if front.stopped:
                return
            log.exception("cannot prepare %s", service)
    with suppress(Exception):
        world.client("ec2").describe_availability_zones()
        world.client("iam").list_policies(MaxItems=1)
    gc.collect()
    gc.freeze()  # what is there now stays: no collection need look at it again
    gc.enable()
