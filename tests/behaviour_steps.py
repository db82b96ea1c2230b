"""Runs the behaviours in tests/behaviours: steps of a YAML file, one after the other, through boto3.

A behaviour has `says` (the claim), `page` (where AWS documents it), `area`, `steps`, and on occasion
`template` or `templates` (by name), `costs` (why it is not run on a real account) and `slow` (why it is
not in the quick setting). A step is one of

    call: create_stack              an operation; CloudFormation's, or another service's: sqs.list_queues
      with: {StackName: <<stack>>}  its arguments, <<names>> replaced; template=NAME names a template
      shows: {Stacks[0].X: 1}       JMESPath of the answer -> what it is; `~text` is a regular expression
      saves: {id: StackId}          a name for later steps -> JMESPath of the answer
      refused: {code:, message:}    or it is an error, the message a regular expression
      eventually: true              asked again until it shows that
    create, update, delete, change  the same for the stack <<stack>>, with its template; `settles` follows
    settles: STATUS                 nothing is in progress any more, and the status is this
    reaches: STATUS                 the stack has the status; {A: STATUS}: its resource A
    resources: {A: STATUS}          every resource of the stack and its status
    events: [[A, STATUS, reason]]   these, in this order, others between them, the oldest first
    never: [[A, STATUS]]            no such event
    put: {child.yaml: NAME}         a template as an S3 object; <<url:child.yaml>> is its address
    signal: {url:, body:}           the body is PUT at a wait condition's handle
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore.exceptions import ClientError

NAME = re.compile(r"<<([\w:./-]+)>>")
SHORT = {
    "create": "create_stack",
    "update": "update_stack",
    "delete": "delete_stack",
    "change": "create_change_set",
}


@dataclass
class Account:
    """Where behaviours run: clients, a bucket for templates, and how patient to be."""

    client: Callable[[str], Any]
    bucket: str
    region: str
    account: str
    seconds: float
    url: Callable[[str, str], str]
    real: bool = False
    interval: float = 0.05


@dataclass
class Behaviour:
    """One documented behaviour."""

    says: str
    page: str
    area: str
    steps: list[dict[str, Any]]
    templates: dict[str, Any] = field(default_factory=dict)
    costs: str = ""
    slow: str = ""


class Run:
    """One run of one behaviour."""

    def __init__(self, account: Account, behaviour: Behaviour) -> None:
        self.account, self.behaviour = account, behaviour
        unique = uuid.uuid4().hex[:10]
        self.names: dict[str, str] = {
            "stack": f"behaviour-{unique}", "unique": unique, "region": account.region,
            "account": account.account, "bucket": account.bucket,
        }  # fmt: skip
        self.stacks: list[str] = []  # ids, for the cleaning

    def __call__(self) -> None:
        """Nothing; AssertionError names the step that does not hold."""
        try:
            for number, step in enumerate(self.behaviour.steps, 1):
                try:
                    self.step(dict(step))
                except Exception as error:
                    raise AssertionError(
                        f"{self.behaviour.says}\n  {self.behaviour.page}\n  step {number} {step}\n  {error}"
                    ) from error
        finally:
            if self.account.real:
                self.clean()

    def step(self, step: dict[str, Any]) -> None:
        """One step; every key but those of a call is a step of its own kind."""
        for word, operation in SHORT.items():
            if word in step:
                step.update(call=operation, **{"with": self.defaults(operation, step.pop(word) or {})})
        settles = step.pop("settles", None) if "call" in step else None
        if "call" in step:
            self.call(step)
        else:
            ((kind, argument),) = step.items()
            getattr(self, kind)(self.fill(argument))
        if settles:
            self.settles(settles)

    def defaults(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments with the stack's name and, where nothing else is said, the behaviour's template."""
        found: dict[str, Any] = {"StackName": "<<stack>>", **given}
        if operation == "create_change_set":
            found.setdefault("ChangeSetName", "changes")
        named = {"TemplateBody", "TemplateURL", "UsePreviousTemplate", "template"} & found.keys()
        if operation != "delete_stack" and not named:
            found["template"] = "template"
        return found

    def fill(self, value: Any) -> Any:
        """The value with every <<name>> replaced."""
        if isinstance(value, str):
            return NAME.sub(lambda match: self.name(match[1]), value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, Mapping):
            return {self.fill(key): self.fill(item) for key, item in value.items()}
        return value

    def name(self, name: str) -> str:
        """What stands for the name."""
        if name.startswith("url:"):
            return self.account.url(self.names["stack"], name.removeprefix("url:"))
        return self.names[name]

    def template(self, name: str) -> str:
        """The text of a template; a long one is a beginning and a line many times."""
        found = self.fill(self.behaviour.templates[name])
        if isinstance(found, str):
            return found
        return str(found["begins"]) + "".join(found["each"].format(n=n) for n in range(found["times"]))

    def call(self, step: dict[str, Any]) -> None:
        """The operation is asked, and answers or refuses as the step says."""
        service, _, operation = step["call"].rpartition(".")
        given = self.fill(step.get("with") or {})
        if "template" in given:
            given["TemplateBody"] = self.template(given.pop("template"))
        client = self.account.client(service or "cloudformation")

        def ask() -> None:
            refused = self.fill(step.get("refused"))
            try:
                answer = getattr(client, operation)(**given)
            except ClientError as error:
                said = error.response["Error"]
                assert refused, f"refused: {said['Code']}: {said['Message']}"
                assert said["Code"] == refused.get("code", "ValidationError"), said
                assert re.search(refused["message"], said["Message"], re.DOTALL), said["Message"]
                return
            assert not refused, f"answered: {answer}"
            self.remember(operation, answer)
            self.compare(answer, self.fill(step.get("shows") or {}))
            for name, path in (step.get("saves") or {}).items():
                self.names[name] = jmespath.search(path, answer)
                assert self.names[name] is not None, f"{path} is not in {answer}"

        self.until(ask) if step.get("eventually") else ask()

    def remember(self, operation: str, answer: dict[str, Any]) -> None:
        """The stacks that have to go in the end."""
        if operation in ("create_stack", "create_change_set"):
            self.names["stack_id"] = answer["StackId"]
            if answer["StackId"] not in self.stacks:
                self.stacks.append(answer["StackId"])

    def compare(self, answer: Any, shows: dict[str, Any]) -> None:
        """The answer has what is shown."""
        for path, wanted in shows.items():
            found = jmespath.search(path, answer)
            if isinstance(wanted, str) and wanted.startswith("~"):
                assert re.search(wanted[1:], str(found), re.DOTALL), f"{path} is {found!r}, not {wanted!r}"
            else:
                assert found == wanted, f"{path} is {found!r}, not {wanted!r}"

    def until(self, ask: Callable[[], None]) -> None:
        """Ask again until no assertion fails, nor a look at what the answer has not got yet."""
        deadline = time.monotonic() + self.account.seconds
        while True:
            try:
                return ask()
            except (AssertionError, jmespath.exceptions.JMESPathError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(self.account.interval)

    def status(self) -> str:
        """The stack's status now."""
        cfn = self.account.client("cloudformation")
        return str(cfn.describe_stacks(StackName=self.names["stack_id"])["Stacks"][0]["StackStatus"])

    def settles(self, wanted: str) -> None:
        """Nothing goes on any more, and the stack has the status."""
        deadline = time.monotonic() + self.account.seconds
        while (status := self.status()).endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            assert time.monotonic() < deadline, f"still {status}, not {wanted}"
            time.sleep(self.account.interval)
        assert status == wanted, f"{status}, not {wanted}: {self.history()[-6:]}"

    def reaches(self, wanted: str | dict[str, str]) -> None:
        """The stack or a resource of it has the status, sooner or later."""

        def ask() -> None:
            if isinstance(wanted, str):
                assert (status := self.status()) == wanted, f"{status}, not {wanted}"
            else:
                found = self.present()
                assert wanted.items() <= found.items(), f"{found}, not {wanted}"

        self.until(ask)

    def present(self) -> dict[str, str]:
        """The stack's resources and their statuses."""
        cfn = self.account.client("cloudformation")
        found = cfn.describe_stack_resources(StackName=self.names["stack_id"])["StackResources"]
        return {one["LogicalResourceId"]: one["ResourceStatus"] for one in found}

    def resources(self, wanted: dict[str, str]) -> None:
        """These are the stack's resources."""
        found = {name: status for name, status in self.present().items() if status != "DELETE_COMPLETE"}
        assert found == wanted, f"{found}, not {wanted}"

    def history(self) -> list[tuple[str, str, str]]:
        """Every event of the stack, the oldest first; the stack's own are under 'stack'."""
        cfn, id = self.account.client("cloudformation"), self.names["stack_id"]
        pages = cfn.get_paginator("describe_stack_events").paginate(StackName=id)
        return [
            (
                "stack" if one["PhysicalResourceId"] == id else one["LogicalResourceId"],
                one["ResourceStatus"],
                one.get("ResourceStatusReason", ""),
            )
            for page in pages
            for one in page["StackEvents"]
        ][::-1]

    def events(self, wanted: list[list[str]]) -> None:
        """The history has these events in this order."""
        history = self.history()
        left = iter(history)
        for logical, status, *reason in wanted:
            match = re.compile(reason[0] if reason else "", re.DOTALL)
            assert any(a == logical and b == status and match.search(c) for a, b, c in left), (
                f"no {logical} {status} {' '.join(reason)} in this order: {history}"
            )

    def never(self, unwanted: list[list[str]]) -> None:
        """The history has none of these events."""
        history = self.history()
        for logical, status in unwanted:
            assert (logical, status) not in [one[:2] for one in history], f"{logical} {status}: {history}"

    def put(self, objects: dict[str, str]) -> None:
        """The templates are S3 objects of this run's own."""
        for key, name in objects.items():
            body = self.template(name).encode()
            path = f"{self.names['stack']}/{key}"
            self.account.client("s3").put_object(Bucket=self.account.bucket, Key=path, Body=body)

    def signal(self, given: dict[str, Any]) -> None:
        """The body is put at the address."""
        body = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
        request = urllib.request.Request(given["url"], body.encode(), {"Content-Type": ""}, method="PUT")
        with urllib.request.urlopen(request, timeout=300) as answer:
            assert answer.status == 200, answer.status

    def clean(self) -> None:
        """On a real account: everything that the behaviour made is deleted."""
        cfn = self.account.client("cloudformation")
        for id in reversed(self.stacks):
            with suppress(ClientError):
                cfn.update_termination_protection(StackName=id, EnableTerminationProtection=False)
            for options in ({}, {"DeletionMode": "FORCE_DELETE_STACK"}):
                try:
                    cfn.delete_stack(StackName=id, **options)
                    cfn.get_waiter("stack_delete_complete").wait(StackName=id)
                    break
                except Exception as error:
                    print(f"{id}: {error}", threading.current_thread().name)
