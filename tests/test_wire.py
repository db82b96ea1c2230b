"""The wire protocols, checked by unmodified botocore clients."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.config
import botocore.session
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws_vpc.local import cbor, wire, xml

OPERATIONS = [
    ("cloudformation", "DescribeStacks"),
    ("cloudformation", "DescribeStackEvents"),
    ("cloudformation", "DescribeChangeSet"),
    ("cloudformation", "CreateStack"),
    ("cloudformation", "DeleteStack"),
    ("rds", "DescribeDBInstances"),
    ("rds", "CreateDBInstance"),
    ("redshift", "DescribeClusters"),
    ("batch", "DescribeJobs"),
    ("batch", "SubmitJob"),
    ("batch", "ListTagsForResource"),
    ("codedeploy", "GetDeployment"),
    ("codedeploy", "BatchGetDeploymentTargets"),
    ("codedeploy", "CreateDeployment"),
    ("events", "PutTargets"),
    ("events", "ListTargetsByRule"),
    ("secretsmanager", "GetSecretValue"),
]


class Caller:
    """An unmodified botocore client whose one network call is answered by a function here."""

    def __init__(self, service: str) -> None:
        self.client = botocore.session.Session(profile=None).create_client(
            service,
            region_name="eu-west-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="x",
            endpoint_url="http://127.0.0.1:1",
            config=botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False),
        )
        self.reply: Any = None
        self.client.meta.events.register("before-send", self._send)

    def _send(self, request: Any, **_: Any) -> Any:
        self.sent = wire_request(self.client.meta.service_model.signing_name, request)
        reply = self.reply(self.sent)

        class Raw:
            def stream(self, *_: Any, **__: Any) -> Any:
                yield reply.body

        return botocore.awsrequest.AWSResponse(request.url, reply.status, dict(reply.headers), Raw())

    def call(self, operation: str, **params: Any) -> Any:
        return self.client._make_api_call(operation, params)


@cache
def caller(service: str) -> Caller:
    return Caller(service)


def wire_request(service: str, sent: Any) -> wire.Request:
    url = urlsplit(sent.url)
    body = sent.body or b""
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in sent.headers.items()}
    body = body.encode() if isinstance(body, str) else bytes(body)
    return wire.Request(service, "eu-west-1", sent.method, url.path, url.query, headers, body, {})


MOMENTS = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000, tzinfo=UTC)
)
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
XML_TEXT = st.text(LETTERS, max_size=12)


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that fit a shape, as boto3 gives and takes them."""
    match shape.type_name:
        case "structure":
            members = {
                n: values(m, depth + 1)
                for n, m in shape.members.items()
                if depth < 3 or m.type_name not in ("structure", "list", "map")
            }
            return st.fixed_dictionaries({}, optional=members)
        case "list":
            return st.lists(values(shape.member, depth + 1), min_size=1, max_size=2)
        case "map":
            return st.dictionaries(
                XML_TEXT.filter(bool), values(shape.value, depth + 1), min_size=1, max_size=2
            )
        case "string":
            return XML_TEXT.filter(bool)
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**53), 2**53)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return MOMENTS
        case "blob":
            return st.binary(min_size=1, max_size=8)
        case "float" | "double":
            return st.floats(allow_nan=False, allow_infinity=False).map(lambda f: f + 0.0)
    raise AssertionError(shape.type_name)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, datetime) and isinstance(b, datetime):
        return abs((a - b).total_seconds()) < 0.002
    if isinstance(a, float):
        return math.isclose(a, b, rel_tol=1e-12)
    return bool(a == b)


QUIET = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_an_answer_reads_as_what_was_said(service: str, operation: str) -> None:
    shape = wire.model(service).operation_model(operation).output_shape

    @QUIET
    @given(values(shape) if shape else st.just({}))
    def check(result: dict[str, Any]) -> None:
        there = caller(service)
        there.reply = lambda request: wire.answer(service, operation, result, wire.spoken(service, request))
        read = there.call(operation, **minimal(service, operation))
        assert read.pop("ResponseMetadata")["RequestId"]
        assert same(prune(result), prune(read))

    check()


def prune(value: Any) -> Any:
    """Without empty structures, which query clients see as absent."""
    if isinstance(value, dict):
        inner = {k: prune(v) for k, v in value.items()}
        return {k: v for k, v in inner.items() if v not in ({}, [], None)}
    if isinstance(value, list):
        return [v for v in map(prune, value) if v not in ({}, [], None)]
    return value


def minimal(service: str, operation: str) -> dict[str, Any]:
    shape = wire.model(service).operation_model(operation).input_shape
    return {
        name: "arn:aws:batch:eu-west-1:1:job/x"
        for name, member in (shape.members.items() if shape else ())
        if member.serialization.get("location") == "uri"
    }


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_request_reads_as_what_was_asked(service: str, operation: str) -> None:
    shape = wire.model(service).operation_model(operation).input_shape

    @QUIET
    @given(values(shape) if shape else st.just({}))
    def check(params: dict[str, Any]) -> None:
        params = prune({**params, **minimal(service, operation)})
        there = caller(service)
        there.reply = lambda request: wire.answer(service, operation, {}, wire.spoken(service, request))
        there.call(operation, **params)
        name, read = wire.parse(service, there.sent)
        assert name == operation
        tokens = {"clientToken", "ClientToken", "ClientRequestToken"} - params.keys()
        assert same(params, {k: v for k, v in prune(read).items() if k not in tokens})

    check()


@pytest.mark.parametrize("service", ["cloudformation", "rds", "batch", "codedeploy", "events", "s3", "ec2"])
def test_a_failure_reads_as_the_services_own_error(service: str) -> None:
    there = caller(service)
    there.reply = lambda request: wire.failure(
        service, "NoSuchThing", "the <thing> & it's \r gone", 404, wire.spoken(service, request)
    )
    operations = sorted(there.client.meta.service_model.operation_names)
    operation = next(n for n in operations if n.startswith(("Describe", "ListBuckets", "ListApplications")))
    with pytest.raises(ClientError) as caught:
        there.call(operation)
    assert caught.value.response["Error"]["Code"] == "NoSuchThing"
    assert caught.value.response["Error"]["Message"] == "the <thing> & it's \r gone"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def ask(service: str, body: bytes, **headers: str) -> wire.Request:
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return wire.Request(service, "eu-west-1", "POST", "/", "", named, body, {})


def test_codedeploy_is_understood_in_json_too() -> None:
    target = "CodeDeploy_20141006.GetApplication"
    request = ask("codedeploy", b'{"applicationName": "a"}', x_amz_target=target)
    assert wire.parse("codedeploy", request) == ("GetApplication", {"applicationName": "a"})
    assert wire.spoken("codedeploy", request) == "json"


def test_a_query_list_may_be_named_or_plain() -> None:
    for form in (
        b"Action=DescribeDBInstances&Filters.Filter.1.Name=x&Filters.Filter.1.Values.Value.1=y",
        b"Action=DescribeDBInstances&Filters.member.1.Name=x&Filters.member.1.Values.member.1=y",
    ):
        assert wire.parse("rds", ask("rds", form))[1] == {"Filters": [{"Name": "x", "Values": ["y"]}]}


PUT_EVENTS = "AWSEvents.PutEvents"


@pytest.mark.parametrize(
    ("service", "request_", "code"),
    [
        ("cloudformation", ask("cloudformation", b"Version=1"), "MissingAction"),
        ("cloudformation", ask("cloudformation", b"Action=Nope"), "InvalidAction"),
        ("events", ask("events", b"{}", x_amz_target="AWSEvents.Nope"), "UnknownOperationException"),
        ("events", ask("events", b"[1", x_amz_target=PUT_EVENTS), "SerializationException"),
        ("events", ask("events", b'{"Entries": 3}', x_amz_target=PUT_EVENTS), "SerializationException"),
        ("batch", ask("batch", b"{}"), "UnknownOperationException"),
    ],
)
def test_nonsense_is_refused_in_the_services_words(service: str, request_: wire.Request, code: str) -> None:
    with pytest.raises(wire.ServiceError) as caught:
        wire.parse(service, request_)
    assert caught.value.code == code


PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        PLAIN | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_cbor_comes_back_as_it_went(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=40))
def test_bytes_that_are_not_cbor_are_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        cbor.decode(data)


def test_xml_cannot_be_broken_by_text() -> None:
    assert xml.escape("<a>&\r\x00") == "&lt;a&gt;&amp;&#13;\ufffd"
