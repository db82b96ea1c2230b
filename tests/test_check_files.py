"""Files of intents and access scopes are taken as they are or refused; plans are held against them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from check_bench import EVERYBODY, PROJECT, append, broken, passed, templates

from aws_vpc import cli
from aws_vpc.commands.console import Console
from aws_vpc.commands.plan_checks import Draft, hold, promises_are_kept
from aws_vpc.errors import Refused, UsageError
from aws_vpc.intents import load

__all__ = ["templates"]

SCOPE = {
    "MatchPaths": [
        {
            "Source": {
                "ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]},
                "PacketHeaderStatement": {"Protocols": ["tcp"], "DestinationPorts": ["1-65535"]},
            },
            "Destination": {"ResourceStatement": {"Resources": ["Database", "WebServer"]}},
        }
    ]
}


def test_an_access_scope_is_taken_unchanged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scope.json"
    file.write_text(json.dumps(SCOPE))
    assert cli.main(["check", str(file)]) == 0  # the default admits nobody
    capsys.readouterr()
    found = broken(capsys, str(file), "--param", "WebIngressCidr=203.0.113.0/24")
    (row,) = found.values()
    assert "NestedEC2Stack/WebServer" in passed(row)


def test_an_exclude_path_takes_a_finding_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = {"PacketHeaderStatement": {"DestinationPorts": ["80"]}}
    file = tmp_path / "scope.json"
    file.write_text(json.dumps({**SCOPE, "ExcludePaths": [{"Source": port}]}))
    assert cli.main(["check", str(file), "--param", "WebIngressCidr=203.0.113.0/24"]) == 0
    assert "1 holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("intents: [", "line 2"),
        ("[]", "no list `intents`"),
        ("intents: [{name: a, allow: {from: x}}]", "needs `from` and `to`"),
        ("intents: [{name: a, allow: {from: x, to: y, port: web}}]", "port 'web'"),
        ("intents: [{name: a, allow: {from: x, to: y, port: '${No}'}}]", "parameter No"),
        ("intents: [{name: a, forbid: {from: x, to: y}}]", "forbid"),
        ("intents: [{name: a, through: {from: x, to: y}}]", "needs the member `through`"),
    ],
)
def test_a_wrong_file_is_named_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as told:
        load(text, "wrong.yaml")
    assert "wrong.yaml" in str(told.value) and reason in str(told.value)


def test_a_file_without_an_intent_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.yaml").write_text("intents: []\n")
    assert cli.main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "has no intent in it, so nothing would be checked" in capsys.readouterr().err


def test_a_name_that_is_not_there_lists_what_is_like_it(tmp_path: Path) -> None:
    file = tmp_path / "intents.yaml"
    file.write_text("intents: [{name: a, allow: {from: WebSever, to: Database, port: 5432}}]")
    asked = [sys.executable, "-m", "aws_vpc", "check", str(file)]
    told = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert told.returncode == 2 and "WebServer" in told.stderr and told.stdout == ""


def drafted(root: Path, **parameters: str) -> Draft:
    """A draft of a create from the templates of a folder, as the plan step makes it."""
    session = SimpleNamespace(root=root, aws=SimpleNamespace(region="us-west-2"), console=Console(quiet=True))
    package = SimpleNamespace(artifacts=[])
    return Draft(session, SimpleNamespace(package=package), parameters, changed=True)  # type: ignore[arg-type]


def test_a_plan_that_breaks_a_promise_is_refused_before_anything_is_made(templates: Path) -> None:
    shutil.copy(PROJECT / "intents.yaml", templates.parent)
    assert promises_are_kept(drafted(templates.parent)) == []
    append(templates / "vpc.yaml", EVERYBODY.format(group="WebServerSecurityGroup", port=5000))
    (finding,) = [one for one in promises_are_kept(drafted(templates.parent)) if one.severity == "ERROR"]
    assert "nothing but the web port" in finding.message and "NestedEC2Stack/WebServer" in finding.message
    with pytest.raises(Refused, match="nothing has been changed"):
        hold(drafted(templates.parent))


FAR = [
    "--param=PeerVpcId=vpc-0123456789abcdef0",
    "--param=PeerVpcCidr=10.9.0.0/16",
    "--param=WarehouseSubnets=subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "--param=PeerRouteTableIds=rtb-0123456789abcdef0",
]


def test_what_stands_in_a_network_of_others_is_unknown_and_never_guessed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["check", *FAR]) == 1
    told = capsys.readouterr().out
    assert "broken" not in told and "unknown   the warehouse is unreachable from the internet" in told
    assert cli.main(["reach", "WebServer", "Warehouse", "--port", "5439", *FAR]) == 1
    assert "stands in a network that is not known here" in capsys.readouterr().out


def test_a_plan_in_a_network_that_stands_already_is_not_asked(templates: Path) -> None:
    shutil.copy(PROJECT / "intents.yaml", templates.parent)
    given = {"Vpc": "vpc-1", "PublicSubnets": "subnet-1", "PrivateSubnets": "subnet-2"}
    assert [
        it for it in promises_are_kept(drafted(templates.parent, **given)) if it.severity == "ERROR"
    ] == []


def test_the_example_of_the_guide_is_held_and_breaks_where_it_should(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (PROJECT / "docs" / "reachability.rst").read_text()
    example = guide.partition("   parameters: {WebPort: 80}")
    lines = [example[1], *example[2].partition("\n\nAn intent may")[0].splitlines()]
    file = tmp_path / "example.yaml"
    file.write_text("\n".join(line[3:] for line in lines))
    office = "WebIngressCidr=203.0.113.0/24"
    assert cli.main(["check", str(file), "--param", office]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 holds"
    found = broken(capsys, str(file), "--param", "WebIngressCidr=0.0.0.0/0")
    assert list(found) == ["the page is for the office"]


def test_an_exception_covers_its_own_addresses_and_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "half.yaml"
    file.write_text("intents: [{name: half, only: {from: 203.0.112.0/24, to: WebServer, port: 80}}]")
    assert cli.main(["check", str(file), "--param", "WebIngressCidr=203.0.112.0/24"]) == 0
    capsys.readouterr()
    (row,) = broken(capsys, str(file), "--param", "WebIngressCidr=203.0.112.0/23").values()
    (path, *_) = row["paths"]
    assert path["ForwardPathComponents"][0]["OutboundHeader"]["SourceAddresses"] == ["203.0.113.0/32"]


def test_a_scope_tells_apart_the_addresses_that_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"PacketHeaderStatement": {"SourceAddresses": ["203.0.112.0/24"]}}
    file = tmp_path / "scope.json"
    file.write_text(json.dumps({**SCOPE, "ExcludePaths": [{"Source": known}]}))
    assert cli.main(["check", str(file), "--param", "WebIngressCidr=203.0.112.0/24"]) == 0
    capsys.readouterr()
    assert broken(capsys, str(file), "--param", "WebIngressCidr=203.0.112.0/23")
