"""Secrets Manager in front of moto: rotating a managed master secret changes the server's password.

Every other secret, and every other operation, is moto's.
"""

from __future__ import annotations

from aws_vpc.local import rds, redshift, redshift_serverless
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, answer, parse, spoken
from aws_vpc.local.world import World


def handler(world: World) -> Handler:
    """The handler of requests to Secrets Manager."""

    def handle(request: Request, forward: Forward) -> Response:
        if not request.headers.get("x-amz-target", "").endswith(".RotateSecret"):
            return forward(request)
        asked = parse("secretsmanager", request)[1]
        client = world.client("secretsmanager", request.region)
        try:
            secret = client.describe_secret(SecretId=asked.get("SecretId", ""))
        except client.exceptions.ResourceNotFoundException:
            return forward(request)
        owners = (rds, redshift, redshift_serverless)
        rotate = next((found for owner in owners if (found := owner.rotation(world, secret["ARN"]))), None)
        if rotate is None:
            return forward(request)
        if asked.get("RotationLambdaARN"):
            text = "You can't specify a rotation function for a secret that is managed by another service."
            raise ServiceError("InvalidRequestException", text)
        version = rotate()
        result = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version}
        return answer("secretsmanager", "RotateSecret", result, spoken("secretsmanager", request))

    return handle
