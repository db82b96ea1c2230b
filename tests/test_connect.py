"""connect and doctor, run: the aws command asks for a session, quotas are held against what is there.

At the edge, a server answers StartSession as AWS does, and a script stands in for session-manager-plugin.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from deploy_bench import Run, aws, name, proxies, proxy, root, run, write

from aws_vpc.local import control

__all__ = ["aws", "name", "proxies", "proxy", "root", "run"]

BIN = Path(__file__).parent.parent / ".venv" / "bin"
INSTANCE = """
  WebServer:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: ami-12c6146b
      InstanceType: t3.micro
      Tags: [{{Key: Name, Value: {name}-web-server}}]
"""
OUTPUTS = """
  DatabaseAddress: {Value: app.abc.us-east-1.rds.amazonaws.com}
  DatabasePort: {Value: '5432'}
"""
PLUGIN = """#!/bin/sh
[ "$1" = --version ] && { echo 1.2.999.0; exit; }
printf '%s\\n' "$AWS_SSM_START_SESSION_RESPONSE" "$@" >"$(dirname "$0")/called"
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[control.Facts]:
    """An embedded AWS of this module's own, for doctor counts what is there."""
    folder = tmp_path_factory.mktemp("embedded")
    yield control.start(folder)
    control.stop(folder)


@pytest.fixture
def sessions() -> Iterator[list[dict[str, Any]]]:
    """The requests for sessions that the aws command has sent, each answered with a session."""
    asked: list[dict[str, Any]] = []

    class StartSession(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({"operation": self.headers["X-Amz-Target"], **body})
            answer = json.dumps(
                {"SessionId": "me-1", "TokenValue": "t", "StreamUrl": "wss://session"}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), StartSession) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.environ["AWS_ENDPOINT_URL_SSM"] = f"http://127.0.0.1:{server.server_port}"
        yield asked
        del os.environ["AWS_ENDPOINT_URL_SSM"]
        server.shutdown()


@pytest.fixture
def stack(run: Run, root: Path, name: str) -> Iterator[None]:
    write(root, first=INSTANCE.format(name=name))
    template = root / "templates" / "nested-stack.yaml"
    template.write_text(template.read_text() + OUTPUTS)
    assert run("create", "--skip-checks")[0] == 0
    yield
    assert run("teardown", "--yes")[0] == 0


def test_a_session_to_the_database_is_asked_for_and_handed_to_the_plugin(
    run: Run, stack: None, sessions: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "bin" / "session-manager-plugin"
    plugin.parent.mkdir()
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    status, out, err = run("connect", "database", "--local-port", "15432", "--print")
    assert (status, sessions) == (0, []) and out.startswith("aws ssm start-session "), err

    monkeypatch.setenv("PATH", f"{plugin.parent}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}")
    status, _, err = run("connect", "database", "--local-port", "15432")
    assert status == 0 and "localhost:15432 leads to app.abc.us-east-1.rds.amazonaws.com:5432" in err, err
    (asked,) = sessions
    assert asked["operation"] == "AmazonSSM.StartSession" and asked["Target"].startswith("i-")
    assert asked["DocumentName"] == "AWS-StartPortForwardingSessionToRemoteHost"
    assert asked["Parameters"] == {
        "host": ["app.abc.us-east-1.rds.amazonaws.com"],
        "portNumber": ["5432"],
        "localPortNumber": ["15432"],
    }
    called = (plugin.parent / "called").read_text()
    assert "me-1" in called and "StartSession" in called

    status, _, err = run("connect", "warehouse")
    assert status == 2 and "has no warehouse" in err


def test_doctor_counts_what_is_there_and_is_honest_about_what_it_cannot_ask(
    run: Run, aws: Callable[[str], Any]
) -> None:
    ec2 = aws("ec2")
    before = checks(run)
    assert before["VPCs per Region"]["state"] == "ok" and before["permissions"]["state"] == "not told"
    assert "SimulatePrincipalPolicy" in before["permissions"]["told"]
    made = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(3)]
    status, out, _ = run("doctor", "--json")
    assert status == 3 and "4 of 5 used, 2 more needed" in out and "vpc/L-F678F1CE" in out
    for vpc in made:
        ec2.delete_vpc(VpcId=vpc)
    assert checks(run) == before


def checks(run: Run) -> dict[str, dict[str, str]]:
    status, out, _ = run("doctor", "--json")
    assert status == 0
    return {one["name"]: one for one in json.loads(out)["checks"] if one["name"] != "clock"}
