"""CloudFormation as AWS documents it: tests/behaviours, on the embedded AWS or, with --aws, on AWS itself.

All run at once, each with stacks of its own, against one embedded AWS; a test tells how its behaviour went.
Every answer is held against botocore's model of the service.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
import yaml
from behaviour_steps import Account, Behaviour, Run
from botocore.config import Config
from embedded import embedded_aws

FOLDER = Path(__file__).with_name("behaviours")
AT_ONCE = 8
ALL = "AWS_VPC_TEST_ALL" in os.environ


def read(path: Path) -> list[Behaviour]:
    """The behaviours of a file."""
    found = yaml.safe_load(path.read_text())
    shared = found.get("templates", {})
    return [
        Behaviour(
            one["says"],
            one.get("page", found.get("page", "")),
            one.get("area", found.get("area", "")),
            one["steps"],
            {**shared, **one.get("templates", {}), **{k: one[k] for k in ("template",) if k in one}},
            one.get("costs", ""),
            one.get("slow", ""),
        )
        for one in found["behaviours"]
    ]


BEHAVIOURS = [one for path in sorted(FOLDER.glob("*.yaml")) for one in read(path)]
# Statuses of stacks are in their events too, which the model says of resources only.
OF_STACKS = (
    "REVIEW_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
)  # fmt: skip
WRONG: list[str] = []


def strange(shape: Any, element: ElementTree.Element, path: str) -> Iterator[str]:
    """What the answer's element has that the model's shape does not, or lacks that it requires."""
    children = {child.tag.rpartition("}")[2]: child for child in element}
    if shape.type_name == "list":
        for child in element:
            yield from strange(shape.member, child, path + "[]")
    elif shape.type_name == "structure":
        names = {member.serialization.get("name", key): key for key, member in shape.members.items()}
        for unknown in children.keys() - names.keys():
            yield f"{path}.{unknown} is not in the model"
        for name, key in names.items():
            if name in children:
                yield from strange(shape.members[key], children[name], f"{path}.{key}")
            elif key in shape.required_members:
                yield f"{path}.{key} is missing"
    elif getattr(shape, "enum", None) and element.text not in [*shape.enum, *OF_STACKS]:
        yield f"{path} is {element.text!r}, none of {shape.enum}"


def hold_against_model(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Note what is wrong with an answer's form; it is a test of its own."""
    if response_dict["status_code"] >= 300 or operation_model.output_shape is None:
        return
    root = ElementTree.fromstring(response_dict["body"])
    name = operation_model.name
    for child in root:
        if child.tag.endswith(f"{name}Result"):
            WRONG.extend(strange(operation_model.output_shape, child, name))


@pytest.fixture(scope="module")
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The account that the behaviours run in."""
    if request.config.getoption("--aws"):
        yield from real_account()
        return
    with embedded_aws() as aws:
        cfn = aws.client("cloudformation")
        cfn.meta.events.register("before-parse.cloudformation", hold_against_model)
        for service in ("s3", "sns", "sqs", "ssm", "iam", "ec2"):  # clients are not made in threads
            aws.client(service)
        aws.client("s3").create_bucket(Bucket="behaviours")
        where = aws.facts.endpoint
        yield Account(
            aws.client, "behaviours", aws.facts.region, aws.facts.account, 600.0,
            lambda folder, key: f"{where}/behaviours/{folder}/{key}",
        )  # fmt: skip


def real_account() -> Iterator[Account]:
    """The account of the configured credentials, with a bucket that goes in the end."""
    session = boto3.Session()
    config = Config(retries={"mode": "adaptive", "max_attempts": 20}, max_pool_connections=AT_ONCE * 2)
    services = ("cloudformation", "s3", "sns", "sqs", "ssm", "iam", "ec2", "sts")
    clients = {name: session.client(name, config=config) for name in services}
    clients["cloudformation"].meta.events.register("before-parse.cloudformation", hold_against_model)
    number, region = clients["sts"].get_caller_identity()["Account"], str(session.region_name)
    bucket = f"behaviours-{number}-{region}"
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    clients["s3"].create_bucket(Bucket=bucket, **where)
    try:
        yield Account(
            clients.__getitem__, bucket, region, number, 900.0,
            lambda folder, key: f"https://{bucket}.s3.{region}.amazonaws.com/{folder}/{key}", True, 5.0,
        )  # fmt: skip
    finally:
        things = session.resource("s3").Bucket(bucket)
        things.objects.all().delete()
        things.delete()


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, account: Account) -> Iterator[dict[str, Future[None]]]:
    """How each selected behaviour goes; all have been begun."""
    chosen = [item.callspec.params["behaviour"] for item in request.session.items if wanted(item)]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [one for one in chosen if not (account.real and one.costs) and (ALL or not one.slow)]
        yield {one.says: pool.submit(Run(account, one)) for one in runs}


def wanted(item: pytest.Item) -> bool:
    """Whether the test is one of a behaviour."""
    return "behaviour" in getattr(getattr(item, "callspec", None), "params", {})


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda one: one.says.replace(" ", "-"))
def test_behaviour(behaviour: Behaviour, outcomes: dict[str, Future[None]]) -> None:
    if behaviour.says not in outcomes:
        pytest.skip(behaviour.slow or f"not on a real account: {behaviour.costs}")
    outcomes[behaviour.says].result()


def test_every_answer_has_the_form_of_botocores_model(outcomes: dict[str, Future[None]]) -> None:
    for outcome in outcomes.values():
        outcome.exception()  # wait for it; its own test tells
    assert not Counter(WRONG)


def test_the_table_is_as_large_as_it_claims_and_names_a_page_for_each() -> None:
    areas = Counter(one.area for one in BEHAVIOURS)
    assert len(BEHAVIOURS) >= 120
    assert areas["update"] + areas["rollback"] + areas["delete"] >= 50
    assert len({one.says for one in BEHAVIOURS}) == len(BEHAVIOURS)
    assert f"{len(BEHAVIOURS)} behaviours" in (FOLDER.parents[1] / "README.rst").read_text()
    for one in BEHAVIOURS:
        assert one.page.startswith("https://docs.aws.amazon.com/"), one.says
        assert one.steps, one.says
