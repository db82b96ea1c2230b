"""The front: who is let in, who answers, and how a failure reads."""

from __future__ import annotations

import http.client
import sys
import types
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws

from aws_vpc.local import front
from aws_vpc.local.processes import Processes
from aws_vpc.local.wire import Forward, Request, Response, ServiceError
from aws_vpc.local.world import World


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


def stranger(aws: Embedded, service: str, key: str = "AKIAIOSFODNN7EXAMPLE") -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=aws.facts.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key="x",
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ec2", "describe_vpcs", "InvalidClientTokenId"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("cloudformation", "list_stacks", "InvalidClientTokenId"),
        ("codedeploy", "list_applications", "UnrecognizedClientException"),
        ("events", "list_rules", "UnrecognizedClientException"),
        ("batch", "describe_job_queues", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_another_key_is_refused_in_the_services_words(
    aws: Embedded, service: str, operation: str, code: str
) -> None:
    client = stranger(aws, service)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    client.close()


def test_keys_that_the_embedded_aws_gave_out_are_let_in(aws: Embedded) -> None:
    trust = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}'
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    client = stranger(aws, "sts", given["AccessKeyId"])
    assert client.get_caller_identity()["Account"] == aws.facts.account
    client.close()


def plain(aws: Embedded, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    place = urlsplit(aws.facts.endpoint)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("PUT", "/bucket"),
        ("GET", "/bucket/key"),
        ("POST", "/moto-api/reset"),
        ("GET", "/moto-api/"),
        ("GET", "/latest/meta-data/iam/"),
    ],
)
def test_unsigned_requests_and_back_doors_are_refused(aws: Embedded, method: str, path: str) -> None:
    status, text = plain(aws, method, path)
    assert status == 403
    assert "AccessDenied" in text
    aws.client("sts").get_caller_identity()


def test_unsigned_actions_are_refused(aws: Embedded) -> None:
    body = b"Action=DeleteVpc&VpcId=vpc-1&Version=2016-11-15"
    assert plain(aws, "POST", "/", body, Content_Type="application/x-www-form-urlencoded")[0] == 403


def test_a_connection_is_kept_over_many_requests(aws: Embedded) -> None:
    place = urlsplit(aws.facts.endpoint)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    sockets = set()
    for body in (b"x" * 100_000, b"", b"y"):
        connection.request("PUT", "/nowhere/key", body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 403
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()


def test_odd_keys_and_large_bodies_come_back_as_they_went(aws: Embedded) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="odd")
    body = bytes(range(256)) * 8192
    for key in ("a b/ä+%20?&=x", "plain", "a//b", ".."):
        s3.put_object(Bucket="odd", Key=key, Body=body, Metadata={"with_underscore": "kept"})
        found = s3.get_object(Bucket="odd", Key=key)
        assert found["Body"].read() == body
        assert found["Metadata"] == {"with_underscore": "kept"}
        assert s3.head_object(Bucket="odd", Key=key)["ContentLength"] == len(body)
    assert len(s3.list_objects_v2(Bucket="odd")["Contents"]) == 4


def test_what_moto_lacks_is_said_once_and_not_tried_again(aws: Embedded) -> None:
    with pytest.raises(ClientError) as caught:
        aws.client("ec2").describe_capacity_reservations()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


# ---------------------------------------------------------------- without a server


def request(service: str, key: str = "AKIAME") -> Request:
    credential = (
        f"AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host"
    )
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": credential,
        "wsgi.input": types.SimpleNamespace(read=lambda _: b""),
    }
    return front.read(environ)


def answering(monkeypatch: pytest.MonkeyPatch, handle: Any) -> front.Front:
    """A front whose batch handler is the given function, and whose moto answers 'moto'."""
    module = types.ModuleType("handlers")
    module.handler = lambda world: handle  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "handlers", module)
    world: Any = World(
        root=None,  # type: ignore[arg-type]
        region="eu-west-1",
        account="123456789012",
        access_key="AKIAME",
        secret_key="x",
        processes=Processes.direct(),
        certificates=None,  # type: ignore[arg-type]
    )

    def moto(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"moto"]

    return front.Front(world, moto, {"batch": "handlers"})


def test_a_handler_may_answer_forward_or_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(asked: Request, forward: Forward) -> Response:
        assert (asked.service, asked.region) == ("batch", "eu-west-1")
        response = forward(asked)
        response.body += b", corrected"
        return response

    asked = answering(monkeypatch, handle)
    assert asked.respond(request("batch")).body == b"moto, corrected"
    assert asked.respond(request("sqs")).body == b"moto"


def test_a_service_error_is_worded_and_a_bug_is_a_500_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> Response:
        raise ServiceError("ClientException", "no", 404)

    response = answering(monkeypatch, refuse).respond(request("batch"))
    assert response.status == 404
    assert b'"__type": "ClientException"' in response.body

    def break_down(*_: Any) -> Response:
        raise KeyError("lost")

    response = answering(monkeypatch, break_down).respond(request("batch"))
    assert response.status == 500
    assert b"KeyError" in response.body
    assert "Traceback" in caplog.text


def test_the_service_is_found_in_a_presigned_address_too() -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/b/k",
        "QUERY_STRING": "X-Amz-Credential=AKIAME%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=x",
    }
    asked = front.read({**environ, "wsgi.input": None})
    assert (asked.service, asked.region, front.access_key(asked)) == ("s3", "eu-west-1", "AKIAME")
