"""AWS's wire protocols, both ways, by botocore's own service models.

    parse(service, request)            -> (operation, params)     what a client asks
    answer(service, operation, result) -> Response                what it is told
    failure(service, code, message)    -> Response                that it cannot be

Spoken here: query (CloudFormation, RDS, Redshift), json 1.0 and 1.1 (CodeDeploy, EventBridge, Secrets
Manager), rest-json (Batch) and smithy-rpc-v2-cbor (CodeDeploy with a recent botocore). Errors also in
ec2's and S3's form. Everything else about ec2 and S3 is moto's.
"""

from aws_vpc.local.wire_answers import answer, failure
from aws_vpc.local.wire_requests import form, parse
from aws_vpc.local.wire_types import (
    CBOR,
    Forward,
    Handler,
    Request,
    Response,
    ServiceError,
    model,
    protocol,
    spoken,
)

__all__ = [
    "CBOR",
    "Forward",
    "Handler",
    "Request",
    "Response",
    "ServiceError",
    "answer",
    "failure",
    "form",
    "model",
    "parse",
    "protocol",
    "spoken",
]
