"""The commands while AWS fails at its edge: nothing is lost, made twice or waited for without end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest
from deploy_bench import ADDRESS, aws, local, name, proxies, proxy, root, run, stacks, write
from fault_proxy import DROP, LOSE

__all__ = ["aws", "local", "name", "proxies", "proxy", "root", "run"]
ALL = os.environ.get("AWS_VPC_TEST_ALL") == "1"
CREATED = ["CREATE_COMPLETE"] * 3
THROTTLED = (400, "Throttling", "Rate exceeded")


def told_events(err):
    """The lines of events in what a command has told."""
    return [line for line in err.splitlines() if re.match(r" *\d+\.\ds [A-Z_]+ ", line)]


def test_throttling_for_a_while_loses_no_event_and_makes_nothing_twice(run, aws, name, proxy):
    seconds = 60 if ALL else 1.5
    until = []

    def throttle(operation, number):
        if operation == "ExecuteChangeSet":
            until.append(time.monotonic() + seconds)
        throttled = until and time.monotonic() < until[0] and operation.startswith("Describe")
        return THROTTLED if throttled else None

    proxy.plan = throttle
    status, out, err = run("create")
    assert status == 0, err
    assert f"stack {name} CREATE_COMPLETE" in out
    assert stacks(aws("cloudformation"), name) == CREATED
    finals = [line for line in told_events(err) if "CREATE_COMPLETE" in line]
    assert len(finals) == 5, err  # the root, two children, one resource in each


def test_calls_throttled_at_first_are_waited_out(run, aws, name, proxy):
    some = {"CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStackEvents", "PUT object"}
    proxy.plan = lambda operation, number: THROTTLED if number == 1 and (ALL or operation in some) else None
    assert run("create")[0] == 0
    assert all(proxy.calls[operation] > 1 for operation in some)
    assert stacks(aws("cloudformation"), name) == CREATED


def test_faults_of_the_server_and_lost_connections_lose_nothing(run, aws, name, proxy):
    faults = [(500, "InternalFailure", "oops"), DROP, None, (503, "ServiceUnavailable", "later"), None, None]
    proxy.plan = lambda operation, number: faults[sum(proxy.calls.values()) % len(faults)]
    status, _, err = run("create")
    assert status == 0, err
    assert stacks(aws("cloudformation"), name) == CREATED
    lines = told_events(err)
    assert [sum(word in line for line in lines) for word in ("IN_PROGRESS", "COMPLETE")] == [5, 5], err


def test_an_answer_that_is_lost_after_the_deed_makes_nothing_twice(run, aws, name, proxy):
    once = {"CreateChangeSet", "ExecuteChangeSet", "PUT bucket", "PUT object"}
    proxy.plan = lambda operation, number: LOSE if operation in once and number == 1 else None
    status, _, err = run("create")
    assert status == 0, err
    assert "another run" not in err
    assert stacks(aws("cloudformation"), name) == CREATED


def test_credentials_that_expire_on_the_way_are_one_line_and_the_next_run_finishes(run, aws, name, proxy):
    expired = (403, "ExpiredToken", "The security token included in the request is expired")
    proxy.plan = lambda operation, number: expired if proxy.calls["DescribeStackEvents"] > 2 else None
    status, _, err = run("create")
    assert status == 1
    assert "credentials have expired" in err.splitlines()[-1]
    assert "run the same command again" in err.splitlines()[-1]
    proxy.plan = lambda operation, number: None
    status, out, err = run("create")
    assert (status, f"stack {name} CREATE_COMPLETE" in out) == (0, True), err
    assert stacks(aws("cloudformation"), name) == CREATED


def test_a_clock_ten_minutes_off_is_named_and_changes_nothing(run, aws, name, proxy):
    ahead = datetime.now(UTC) + timedelta(minutes=10)
    proxy.headers["Date"] = format_datetime(ahead, usegmt=True)
    late = (403, "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 2026")
    proxy.plan = lambda operation, number: late
    status, _, err = run("create")
    assert status == 1
    assert "this machine's clock is wrong (" in err.splitlines()[-1] and "behind AWS" in err.splitlines()[-1]
    proxy.plan = lambda operation, number: None
    status, out, _ = run("doctor")
    assert status == 3 and "clock" in out and "PROBLEM" in out
    # Where AWS takes the signatures all the same, nothing is decided by this machine's clock.
    assert run("create")[0] == 0
    assert stacks(aws("cloudformation"), name) == CREATED


@pytest.mark.skipif(not ALL, reason="AWS_VPC_TEST_ALL=1 waits until botocore has given up")
def test_nothing_hangs_past_the_deadline(run, proxy):
    proxy.plan = lambda operation, number: (
        THROTTLED if operation == "DescribeStackEvents" and number > 1 else None
    )
    started = time.monotonic()
    status, _, err = run("create", "--timeout", "0.05")
    assert status == 1
    assert "is not finished after" in err.splitlines()[-1]
    assert time.monotonic() - started < 60


def kill_at(proxy, number, command, name, root):
    """How many calls a command had made that was killed at the call of this number; 0 when it ended."""
    argv = [sys.executable, "-m", "aws_vpc", *command, "--stack-name", name, "--repo-root", str(root)]
    with subprocess.Popen([*argv, "--quiet"], stderr=subprocess.DEVNULL) as process:
        proxy.plan = lambda operation, _: process.kill() if sum(proxy.calls.values()) == number else None
        proxy.calls.clear()
        status = process.wait(600)
    calls = sum(proxy.calls.values())
    proxy.plan = lambda operation, _: None
    return calls if status < 0 else 0


# Of the calls of a create: bucket, templates, the change set, its description, execution, polls.
MOMENTS = range(1, 60) if ALL else (22,)


def test_a_create_killed_at_any_call_is_finished_by_the_next_run(run, aws, name, proxy, root):
    for moment in MOMENTS:
        stack = f"{name}-{moment}"
        killed = kill_at(proxy, moment, ["create", *ADDRESS], stack, root)
        status, out, err = run("create", "--stack-name", stack)
        assert status == 0, (moment, err)
        assert stacks(aws("cloudformation"), f"{stack}-N") == CREATED[:2], moment
        assert "CREATE_COMPLETE" in out
        if not killed:
            break


@pytest.mark.skipif(not ALL, reason="AWS_VPC_TEST_ALL=1 interrupts a create at every call")
def test_a_create_interrupted_at_any_call_says_so_and_is_finished_by_the_next_run(
    run, aws, name, proxy, root
):
    for moment in MOMENTS:
        stack = f"{name}-{moment}"
        argv = [sys.executable, "-m", "aws_vpc", "create", *ADDRESS, "--stack-name", stack, "--quiet"]
        argv += ["--repo-root", str(root)]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
            proxy.plan = partial(interrupt, proxy, process, moment)
            proxy.calls.clear()
            _, told = process.communicate(timeout=600)
        proxy.plan = lambda operation, number: None
        lines = told.splitlines()
        assert process.returncode in {0, 130}, (moment, told)
        if process.returncode == 130:
            assert len(lines) == 1 and "interrupted; " in lines[0], (moment, told)
        status, _, err = run("create", "--stack-name", stack)
        assert status == 0, (moment, err)
        assert stacks(aws("cloudformation"), f"{stack}-N") == CREATED[:2], moment
        if process.returncode == 0:
            break


def interrupt(proxy, process, moment, operation, number):
    """Ctrl-C at the call of this number."""
    if sum(proxy.calls.values()) == moment:
        process.send_signal(signal.SIGINT)


@pytest.mark.skipif(not ALL, reason="AWS_VPC_TEST_ALL=1 kills an update at every call")
def test_an_update_killed_at_any_call_is_finished_by_the_next_run(run, name, proxy, root):
    assert run("create")[0] == 0
    for moment in range(1, 80):
        write(root, description=f"number-{moment}")
        killed = kill_at(proxy, moment, ["update", "--yes"], name, root)
        status, _, err = run("update", "--yes")
        assert status == 0, (moment, err)
        assert run("plan", "--exit-code")[0] == 0, moment
        if not killed:
            break


@pytest.mark.skipif(not ALL, reason="AWS_VPC_TEST_ALL=1 kills a teardown at every call")
def test_a_teardown_killed_at_any_call_is_finished_by_the_next_run(run, aws, name, proxy, root):
    for moment in range(1, 120):
        assert run("create")[0] == 0
        killed = kill_at(proxy, moment, ["teardown", "--yes"], name, root)
        status, _, err = run("teardown", "--yes")
        assert status == 0, (moment, err)
        assert stacks(aws("cloudformation"), name) == [], moment
        if not killed:
            break


def waiting(aws, name):
    """The change sets of a stack that nobody has executed."""
    found = aws("cloudformation").list_change_sets(StackName=name)["Summaries"]
    return [one for one in found if one["ExecutionStatus"] == "AVAILABLE"]


def test_the_plan_of_a_run_that_was_killed_is_cleared_away_by_the_next(run, aws, name, proxy, root):
    created = json.loads(run("create", "--json")[1])
    assert {"NestedFirstStack", "NestedSecondStack"} <= {one["path"] for one in created["changes"]}
    write(root, description="changed")
    argv = [sys.executable, "-m", "aws_vpc", "update", "--stack-name", name, "--repo-root", str(root)]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
        # Killed before its last call has arrived.
        proxy.plan = lambda operation, _: process.kill() or DROP if operation == "ExecuteChangeSet" else None
        assert process.wait(600) < 0
    proxy.plan = lambda operation, _: None
    kept = [{"ParameterKey": one, "UsePreviousValue": True} for one in ("TemplateBaseUrl", "ArtifactBucket")]
    aws("cloudformation").create_change_set(
        StackName=name,
        ChangeSetName="somebodys",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Colour", "ParameterValue": "green"}, *kept],
        Capabilities=["CAPABILITY_AUTO_EXPAND"],
    )
    write(root)
    status, out, err = run("update")
    assert (status, out.startswith("nothing to update")) == (0, True), err
    assert "plans deleted that a run which has ended left without an answer: 1" in err
    assert [one["ChangeSetName"] for one in waiting(aws, name)] == ["somebodys"]


def test_two_updates_at_once_change_the_stack_once(run, aws, name, root):
    assert run("create")[0] == 0
    write(root, description="changed")
    argv = [sys.executable, "-m", "aws_vpc", "update", "--stack-name", name, "--repo-root", str(root)]
    both = [
        subprocess.Popen([*argv, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert {json.loads(out)["action"] for out, _ in told} <= {"updated", "unchanged"}
    begun = [
        one
        for one in aws("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        if (one["ResourceStatus"], one["LogicalResourceId"]) == ("UPDATE_IN_PROGRESS", name)
    ]
    assert len(begun) == 1
