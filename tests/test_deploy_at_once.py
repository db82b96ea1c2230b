"""The commands at a terminal, interrupted, and twice at once."""

import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress

from deploy_bench import stacks
from deploy_network import aws, local, name, root, run, with_parameter

from aws_vpc import deploy

__all__ = ["aws", "local", "name", "root", "run"]


def at_a_terminal(*arguments, answer=""):
    """What a command shows to somebody at a terminal who types `answer`, and its exit status."""
    master, slave = pty.openpty()
    argv = [sys.executable, "-m", "aws_vpc", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        os.write(master, answer.encode())
        shown = b""
        with suppress(OSError):  # the terminal is gone when the command has ended
            while part := os.read(master, 65536):
                shown += part
        status = process.wait(300)
    os.close(master)
    return status, shown.decode()


def test_at_a_terminal_questions_are_asked_and_a_tree_is_drawn(aws, root, name):
    where = ["--stack-name", name, "--repo-root", str(root)]
    with_parameter(root, "WebIngressCidr: {Type: String}")
    create = ["create", *where, "--param", "WebIngressCidr=203.0.113.7"]
    status, shown = at_a_terminal(*create, answer="n\n")
    assert status == 3 and f"Create stack {name} with 2 nested stacks" in shown
    assert deploy.describe(aws("cloudformation"), name) is None
    status, shown = at_a_terminal(*create, answer="y\n")
    assert status == 0, shown
    assert "└── NestedAppStack  1/1  CREATE_COMPLETE" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    status, shown = at_a_terminal("teardown", *where, answer="something else\n")
    assert status == 3 and "nothing has been changed" in shown
    status, shown = at_a_terminal("teardown", *where, answer=f"{name}\n")
    assert status == 0 and f"stack {name} is deleted" in shown


def test_ctrl_c_says_what_goes_on_and_the_next_run_finishes_it(run, root, aws, name):
    argv = [sys.executable, "-m", "aws_vpc", "create", "--local", "--stack-name", name]
    with subprocess.Popen([*argv, "--repo-root", str(root)], stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "creating stack" in line:
                process.send_signal(signal.SIGINT)
                break
        told = process.stderr.read()
        assert process.wait(300) in {0, 130}
    if process.returncode == 130:
        assert "the same command, run again, follows it" in told
    assert run("create")[0] == 0


def test_two_creates_at_once_make_one_stack(aws, root, name):
    argv = [sys.executable, "-m", "aws_vpc", "create", "--local", "--stack-name", name]
    both = [subprocess.Popen([*argv, "--repo-root", str(root), "--quiet"]) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    assert stacks(aws("cloudformation"), name) == ["CREATE_COMPLETE"] * 3
