"""doctor and connect: what is compared with what, and the command that opens a way in."""

import json
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from botocore.exceptions import ClientError

from aws_vpc import account_guard, doctor
from aws_vpc.commands import connect
from aws_vpc.commands.connect import Tunnel
from aws_vpc.commands.console import Console
from aws_vpc.doctor import BAD, GOOD, UNTOLD, Quota

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "state", "told"),
    [
        (0, GOOD, "0 s"),
        (-250, GOOD, "250 s ahead of"),
        (600, BAD, "600 s behind AWS"),
        (-600, BAD, "600 s ahead of AWS"),
    ],
)
def test_the_clock_is_held_against_the_date_of_an_answer(seconds, state, told):
    found = doctor.clock(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW)
    assert found.state == state and told in found.told


def test_without_a_date_the_clock_is_not_told():
    assert doctor.clock("", NOW).state == UNTOLD


PRINCIPALS = [
    ("arn:aws:iam::123456789012:user/maria", "arn:aws:iam::123456789012:user/maria"),
    ("arn:aws:sts::123456789012:assumed-role/deploy/maria", "arn:aws:iam::123456789012:role/deploy"),
    ("arn:aws-cn:sts::123456789012:assumed-role/d/m", "arn:aws-cn:iam::123456789012:role/d"),
]


@pytest.mark.parametrize(("arn", "simulated"), PRINCIPALS)
def test_a_role_s_session_is_simulated_as_its_role(arn, simulated):
    assert doctor.principal(arn) == simulated


class Service:
    """Answers of a service, by operation."""

    def __init__(self, **answers):
        self.answers = answers

    def get_service_quota(self, **_):
        return {"Quota": {"Value": self.answers["quota"]}}

    def get_paginator(self, _):
        return self

    def paginate(self, **_):
        if isinstance(self.answers["pages"], Exception):
            raise self.answers["pages"]
        return self.answers["pages"]


@pytest.mark.parametrize(("used", "needs", "state"), [(3, 2, GOOD), (4, 2, BAD), (5, 0, GOOD), (0, 6, BAD)])
def test_a_quota_has_room_for_what_is_needed_or_is_named(used, needs, state):
    one = Quota("vpc", "L-F678F1CE", "VPCs per Region", 2, lambda _: used)
    found = doctor.quota(lambda _: Service(quota=5.0), one, needs)
    assert found.state == state and f"{used} of 5 used" in found.told
    assert ("L-F678F1CE" in found.told) == (state == BAD)


def test_actions_that_are_not_allowed_are_named():
    results = [
        {"EvalActionName": "ec2:CreateVpc", "EvalDecision": "allowed"},
        {"EvalActionName": "iam:PassRole", "EvalDecision": "implicitDeny"},
    ]
    found = doctor.permissions(lambda _: Service(pages=[{"EvaluationResults": results}]), PRINCIPALS[0][0])
    assert (found.state, found.told) == (BAD, "not allowed: iam:PassRole")


def test_a_simulation_that_may_not_be_asked_is_not_a_problem():
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SimulatePrincipalPolicy")
    assert doctor.permissions(lambda _: Service(pages=denied), PRINCIPALS[0][0]).state == UNTOLD
    assert doctor.permissions(lambda _: Service(pages=denied), "arn:aws:iam::1:root").state == GOOD


def test_a_way_in_goes_through_the_web_server_to_the_address_that_only_the_vpc_reaches():
    tunnel = Tunnel("i-1", "db.internal", 5432, 15432, "eu-west-1", "work")
    command = tunnel.command()
    assert command[:9] == ["aws", "ssm", "start-session", "--region", "eu-west-1", "--profile", "work",
                           "--target", "i-1"]  # fmt: skip
    assert json.loads(command[-1]) == {
        "host": ["db.internal"],
        "portNumber": ["5432"],
        "localPortNumber": ["15432"],
    }


@pytest.mark.parametrize("missing", [[], ["aws"], ["session-manager-plugin"]])
def test_without_the_plugin_the_command_is_printed_and_nothing_run(missing, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(connect.shutil, "which", lambda name: None if name in missing else f"/bin/{name}")
    monkeypatch.setattr(connect.subprocess, "run", lambda command, check: ran.append(command) or Ended)
    tunnel = Tunnel("i-1", "db.internal", 5432, 5432, "eu-west-1", None)
    assert connect.opened(tunnel, Namespace(only_print=False), Console(), "app") == 0
    told = capsys.readouterr()
    assert bool(ran) is not bool(missing)
    assert ("aws ssm start-session" in told.out) is bool(missing)
    assert all(f"{name} not found" in told.err for name in missing)


class Ended:
    """A process that has ended well."""

    returncode = 0


def test_an_account_is_remembered_by_region_and_stack_and_forgotten(tmp_path):
    account_guard.remember(tmp_path, "eu-west-1", "app", "123456789012")
    account_guard.remember(tmp_path, "eu-west-2", "app", "210987654321")
    assert account_guard.remembered(tmp_path, "eu-west-1", "app") == "123456789012"
    account_guard.remember(tmp_path, "eu-west-1", "app", "")
    assert account_guard.remembered(tmp_path, "eu-west-1", "app") == ""
    assert account_guard.remembered(tmp_path, "eu-west-2", "app") == "210987654321"


def test_the_state_folder_is_the_user_s_own():
    assert str(account_guard.folder({"AWS_VPC_STATE_DIR": "/x"})) == "/x"
    assert str(account_guard.folder({"XDG_STATE_HOME": "/y"})) == "/y/aws-vpc"
