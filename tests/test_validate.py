"""validate: the real scanners over the real templates, and over copies with a planted fault each."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aws_vpc.errors import Error
from aws_vpc.template_parse import parse
from aws_vpc.validate_findings import Exclude, Finding, Verdict, excludes, judge
from aws_vpc.validate_tools import GUARD, check, guard_files, sentence, written_excludes

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "templates").glob("*.yaml"))
RUN = [sys.executable, "-P", "-m", "aws_vpc", "validate"]


class Plant(NamedTuple):
    """A fault put below a section's heading, and where which rule must find it."""

    file: str
    section: str
    text: str
    mark: str
    rule: tuple[str, str]


OPEN_PORT = """
  PlantedRule:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      Description: SSH from everywhere
      GroupId: !GetAtt WebServerSecurityGroup.GroupId
      IpProtocol: tcp
      FromPort: 22
      ToPort: 22
      CidrIp: 0.0.0.0/0
"""
WILDCARD = """
  PlantedPolicy:
    Type: AWS::IAM::RolePolicy
    Properties:
      RoleName: !Ref WebServerRole
      PolicyName: planted
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: 's3:*'
            Resource: !Sub arn:${AWS::Partition}:s3:::planted
"""
WRONG_PROPERTY = """
  PlantedRepository:
    Type: AWS::ECR::Repository
    Properties:
      Colour: blue
"""
UNUSED = """
  PlantedUnused:
    Description: Nobody reads it.
    Type: String
    Default: nothing
"""
NEEDED = """
  PlantedNeeded:
    Description: The root does not pass it.
    Type: String
"""
ROLE = """
  PlantedRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: planted
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: '*'
                Resource: '*'
"""
WIDE = ("guard", "IAM_POLICYDOCUMENT_NO_WILDCARD_RESOURCE")
PLANTS = [
    Plant("vpc.yaml", "Resources", OPEN_PORT, "CidrIp: 0.0.0.0/0", ("wiring", "OPEN_PORT")),
    Plant("vpc.yaml", "Resources", OPEN_PORT, "Properties:", ("cloudformation-validate", "W2508")),
    Plant(
        "vpc.yaml", "Resources", OPEN_PORT, "FromPort: 22", ("guard", "vpc_sg_restricted_common_ports_check")
    ),
    Plant("ec2.yaml", "Resources", WILDCARD, "Action: 's3:*'", ("wiring", "WILDCARD_ACTION")),
    Plant("code-deploy.yaml", "Resources", ROLE, "PlantedRole:", WIDE),
    Plant("batch-job.yaml", "Resources", WRONG_PROPERTY, "Colour: blue", ("cfn-lint", "E3002")),
    Plant(
        "batch-job.yaml", "Resources", WRONG_PROPERTY, "Colour: blue", ("cloudformation-validate", "F3002")
    ),
    Plant("redshift.yaml", "Parameters", UNUSED, "PlantedUnused:", ("cfn-lint", "W2001")),
    Plant("redshift.yaml", "Parameters", UNUSED, "PlantedUnused:", ("cloudformation-validate", "W2001")),
]


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    """What is found in the project's own templates."""
    return judge(check(TEMPLATES), written_excludes())


@pytest.fixture(scope="module")
def planted(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    """A copy of the root and of those templates that get faults, and what the command answers to them."""
    folder = tmp_path_factory.mktemp("planted") / "templates"
    folder.mkdir()
    wanted = {"nested-stack.yaml", *(one.file for one in PLANTS)}
    for path in (one for one in TEMPLATES if one.name in wanted):
        text = path.read_text()
        for plant in {one.text: one for one in PLANTS if one.file == path.name}.values():
            text = text.replace(f"\n{plant.section}:\n", f"\n{plant.section}:{plant.text}\n", 1)
        if path.name == "ec2.yaml":
            text = text.replace("\nParameters:\n", f"\nParameters:{NEEDED}\n", 1)
        (folder / path.name).write_text(text)
    yield folder, called("--json", "--repo-root", str(folder.parent))


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, cwd=ROOT, env=clean)


def line_of(path: Path, mark: str, after: str = "Planted") -> int:
    """The line of a mark, at or after the planted text."""
    lines = path.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if after in line)
    return next(number for number, line in enumerate(lines, 1) if number > start and mark in line)


def test_the_templates_pass_every_gate(verdict: Verdict) -> None:
    assert [f"{one.file}:{one.line} {one.tool} {one.rule} {one.message}" for one in verdict.findings] == []


def test_every_exception_is_still_needed(verdict: Verdict) -> None:
    assert [str(one) for one in written_excludes() if one not in verdict.used] == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: "-".join(plant.rule))
def test_a_planted_fault_is_named_with_file_line_and_rule(planted: Any, plant: Plant) -> None:
    folder, done = planted
    assert done.returncode == 3, done.stderr
    path = folder / plant.file
    found = {
        (Path(one["file"]).name, one["line"], one["tool"], one["rule"])
        for one in json.loads(done.stdout)["findings"]
    }
    assert (plant.file, line_of(path, plant.mark), *plant.rule) in found


def test_a_parameter_that_the_root_does_not_pass_is_named(planted: Any) -> None:
    folder, done = planted
    found = [one for one in json.loads(done.stdout)["findings"] if one["rule"] == "MISSING_PARAMETER"]
    assert [(Path(one["file"]).name, one["message"]) for one in found] == [
        ("nested-stack.yaml", "NestedEC2Stack does not pass PlantedNeeded to ec2.yaml")
    ]
    lines = (folder / "nested-stack.yaml").read_text().splitlines()
    assert lines[found[0]["line"] - 1].strip() == "Parameters:"


def test_the_table_and_the_json_tell_the_same(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(f"Description: A fault.\nResources:{WRONG_PROPERTY}")
    table, told = called(str(bad)), called("--json", str(bad))
    assert (table.returncode, told.returncode) == (3, 3)
    answer = json.loads(told.stdout)
    for one in answer["findings"]:
        assert any(
            line.split()[:3] == [f"{one['file']}:{one['line']}", one["tool"], one["rule"]]
            for line in table.stdout.splitlines()
        )
    assert f"1 templates, {len(answer['findings'])} findings, 0 excluded" in table.stdout
    assert answer["counts"]["cfn-lint"] == {"ERROR": 1}


@pytest.mark.parametrize(
    ("text", "line"),
    [("Resources: [", 1), ("Resources:\n  A:\n    Type: B\n    Type: C\n", 4), ("Description: x\n", 1)],
)
def test_a_file_that_is_no_template_is_a_finding(tmp_path: Path, text: str, line: int) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    found = [one for one in check([bad]) if one.rule == "FORMAT"]
    assert [(one.file, one.severity) for one in found] == [(str(bad), "FATAL")]
    assert found[0].line >= line


def test_a_file_that_is_not_there_is_an_error() -> None:
    done = called("no-such-template.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("aws-vpc: template no-such-template.yaml:")
    assert len(done.stderr.splitlines()) == 1


def test_an_exception_speaks_of_its_files_and_resources_only() -> None:
    finding = Finding("templates/vpc.yaml", 1, "guard", "RULE", "ERROR", "PublicSubnetA", "")
    assert Exclude("guard", "RULE", "why", ("vpc.yaml",), ("PublicSubnet*",)).covers(finding)
    for other in (
        Exclude("cfn-lint", "RULE", "why"),
        Exclude("guard", "OTHER", "why"),
        Exclude("guard", "RULE", "why", ("ec2.yaml",)),
        Exclude("guard", "RULE", "why", ("vpc.yaml",), ("PrivateSubnet*",)),
    ):
        assert not other.covers(finding)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"tool": "guard", "rule": "A"}, "needs a reason"),
        ({"tool": "guard", "rule": "A", "reason": "because"}, "needs a reason"),
        ({"tool": "lint", "rule": "A", "reason": "for a good reason"}, "needs a rule and a tool"),
        ({"tool": "guard", "reason": "for a good reason"}, "needs a rule and a tool"),
        ({"tool": "guard", "rule": "A", "reason": "for a good reason", "file": "x"}, "unknown field file"),
    ],
)
def test_an_exception_without_rule_or_reason_is_refused(entry: dict[str, Any], reason: str) -> None:
    with pytest.raises(Error, match=reason):
        excludes([entry], "excludes.yaml")


def test_guard_rules_are_as_they_were_published() -> None:
    sums = dict(reversed(line.split("  ")) for line in (GUARD / "SHA256SUMS").read_text().splitlines())
    found = {
        str(path.relative_to(GUARD)): hashlib.sha256(path.read_bytes()).hexdigest() for path in guard_files()
    }
    assert found == sums
    for folder in {path.parent for path in guard_files()}:
        assert "Apache License" in (folder / "LICENSE").read_text()
        assert folder.name in (GUARD / "README.rst").read_text()


def test_a_guard_message_is_one_sentence() -> None:
    told = "Violation: All must be\n  encrypted. \n Fix: Set it."
    assert sentence(told, "R") == "All must be encrypted."
    raw = "Guard check `X EXISTS` failed: property `Properties.X` is missing"
    assert sentence(raw, "x_enabled_check") == "does not keep: x enabled; Properties.X is missing"


def test_every_checkov_skip_has_a_reason() -> None:
    for path in TEMPLATES:
        for logical, resource in parse(path.read_text())["Resources"].items():
            for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
                assert len(skip.get("comment", "").split()) >= 3, f"{path.name} {logical} {skip['id']}"


def test_templates_silence_scanners_nowhere_else() -> None:
    for path in TEMPLATES:
        for logical, resource in parse(path.read_text())["Resources"].items():
            silenced = {"guard", "cfn-lint", "cfn_nag"} & resource.get("Metadata", {}).keys()
            assert not silenced, f"{path.name} {logical}: write it into validate_excludes.yaml"


def test_the_checkov_script_tells_its_usage(tmp_path: Path) -> None:
    script = ROOT / "run_checkov.sh"
    told = subprocess.run(["sh", script, "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert told.returncode == 0 and told.stdout.startswith("usage: ./run_checkov.sh")
    for wrong in (["--nonsense"], ["no-such-folder"], [str(tmp_path), str(tmp_path)]):
        done = subprocess.run(["sh", script, *wrong], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


def test_the_checkov_script_is_clean() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    if not shellcheck.exists():
        pytest.skip("shellcheck is not beside python")
    done = subprocess.run([shellcheck, ROOT / "run_checkov.sh"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_checkov_finds_nothing() -> None:
    if not (ROOT / ".checkov" / "version").exists():
        pytest.skip("run ./run_checkov.sh once, which makes its environment")
    done = subprocess.run([ROOT / "run_checkov.sh"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
