"""The project's templates to be changed, and what `check` says of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from aws_vpc import cli

PROJECT = Path(__file__).parent.parent
EVERYBODY = """
  TestIngress:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      GroupId: !Ref {group}
      IpProtocol: tcp
      FromPort: {port}
      ToPort: {port}
      CidrIp: 0.0.0.0/0
"""


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the project's templates."""
    return Path(shutil.copytree(PROJECT / "templates", tmp_path / "templates"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new))


def append(path: Path, resources: str) -> None:
    edit(path, "\nResources:\n", f"\nResources:\n{resources}\n")


def broken(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, Any]]:
    """The broken intents by name, after an exit of 3."""
    assert cli.main(["check", "--json", *words]) == 3
    rows = json.loads(capsys.readouterr().out)["intents"]
    return {row["name"]: row for row in rows if row["state"] == "broken"}


def passed(row: dict[str, Any]) -> set[str]:
    """Every component on the paths that break an intent."""
    components = set()
    for path in row["paths"]:
        components |= {it["Component"]["Id"] for it in path.get("ForwardPathComponents", ())}
        components |= {it["Component"]["Id"] for it in path["AwsVpc"]["PartialPathComponents"]}
    return components
