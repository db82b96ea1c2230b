"""The embedded AWS's CloudFormation: stacks whose resources are made through the service APIs.

model       what is remembered            engine      the memory and its lock
source      template texts                prepare     a call's checked definition
scopes      where functions look          walk        a graph, in parallel
resources   makes one resource            alterations changes it, or goes back
nested      a resource that is a stack    operations  create, update
rollback    back from an update           deletion    delete, policies, clean up
plans       what an update would do       policies    stack policies
validation  before anything is made       property_schema  what types allow
live, drift what stands, and how it differs   existence   what EC2 parameters name
waits       signals                       durations   how long types take on AWS
reasons     AWS's wording                 notifications  events to SNS topics
tokens      the same call again           constraints  what every request has to keep
resume      what a killed one had begun
api, api_*, change_sets, shapes, details  the operations as a client sees them
"""

from __future__ import annotations

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation import api, waits
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.resume import resume
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, answer, failure, parse
from aws_vpc.local.world import World


def handler(world: World) -> Handler:
    """The Handler that answers every CloudFormation request."""
    engine = Engine(world.client, world.account, lambda: world.endpoint, world.delay)
    world.wait_signal = lambda key, body: waits.receive(engine, key, body)
    engine.at_rest = lambda: world.keeper.ended() if world.keeper else None
    world.keep("world.regions", world, "_regions")
    world.keep(
        "cloudformation", engine, "stacks", "names", "tokens", "detections",
        resume=lambda: resume(engine), lock=engine.changed,
    )  # fmt: skip

    def handle(request: Request, forward: Forward) -> Response:
        world.note_region(request.region)
        operation, params = parse("cloudformation", request)
        try:
            return answer("cloudformation", operation, api.call(engine, operation, request.region, params))
        except TemplateError as error:
            return failure("cloudformation", "ValidationError", str(error))
        except ServiceError as error:
            return failure("cloudformation", error.code, error.message, error.status)

    return handle


__all__ = ["handler"]
