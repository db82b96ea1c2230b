"""matrix and diff over the project's own templates, as a person, a program and a spreadsheet read them."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from walker.generator import network

from aws_vpc import discover
from aws_vpc.cli import main
from aws_vpc.matrix_table import Reached, differing, stretches, survey, without_all
from aws_vpc.network import PortRange, Verdict
from aws_vpc.network_names import find
from aws_vpc.network_template_answers import answers_of
from aws_vpc.reach_asking import Question
from aws_vpc.reach_question import ask

TEMPLATES = Path(__file__).parent.parent / "templates"
WEB, LOADER = "NestedEC2Stack/WebServer", "NestedBatchStack/LoaderComputeEnvironment"
DATABASE, WAREHOUSE = "NestedRDSStack/Database", "NestedRedshiftStack/Warehouse"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line and gives status, stdout and stderr."""

    def once(*words: str) -> tuple[int, str, str]:
        status = main(words)
        said = capsys.readouterr()
        return status, said.out, said.err

    return once


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A copy of the templates whose database does not admit the web server."""
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    path = tmp_path / "templates" / "vpc.yaml"
    text, count = re.subn(r"\n  DatabaseIngressFromWebServer:\n(    .*\n)+", "\n", path.read_text())
    assert count == 1
    path.write_text(text)
    return path.parent


def test_matrix_names_who_reaches_the_databases(run: Run) -> None:
    status, out, _ = run("matrix")
    rows = {tuple(line.split()[:3]) for line in out.splitlines()}
    assert status == 0
    for client in (WEB, LOADER):
        assert (client, DATABASE, "5432") in rows
        assert (client, WAREHOUSE, "5439") in rows
    assert not any(row[:2] == ("internet", DATABASE) for row in rows)
    assert not any(row[:1] == (DATABASE,) for row in rows)


def test_matrix_of_one_port_has_only_that(run: Run) -> None:
    _, out, _ = run("matrix", "--port", "5432", "--json")
    found = json.loads(out)["reached"]
    assert {one["destination_name"] for one in found} == {DATABASE}
    assert all(one["ports"] == [[5432, 5432]] for one in found)


def test_matrix_as_csv_has_a_line_for_each_pair_of_interfaces(run: Run) -> None:
    _, out, _ = run("matrix", "--all-ports", "--csv")
    _, told, _ = run("matrix", "--all-ports", "--json")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == len(json.loads(told)["reached"])
    assert {row["ports"] for row in rows if row["destination_name"] == WAREHOUSE} == {"5439"}


def test_matrix_agrees_with_reach(run: Run) -> None:
    _, out, _ = run("matrix", "--json")
    for one in {each["source_name"]: each for each in json.loads(out)["reached"]}.values():
        port = str(one["ports"][0][0])
        assert run("reach", one["source"], one["destination"], "--port", port)[0] == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--protocol", "all"), "one protocol at a time"),
        (("--protocol", "icmp", "--port", "80"), "ports go with tcp and udp"),
        (("--csv", "--json"), "exclude each other"),
        (("--port", "http"), "http"),
        (("--port", "1", "--all-ports"), "not allowed with"),
    ],
)
def test_matrix_refuses_what_it_cannot_ask(run: Run, words: tuple[str, ...], why: str) -> None:
    status, _, err = run("matrix", *words)
    assert status == 2
    assert why in err


def test_diff_tells_what_a_template_change_opens_and_closes(run: Run, closed: Path) -> None:
    status, out, _ = run("diff", str(TEMPLATES), str(closed))
    assert (status, out.split()) == (0, ["closed", WEB, "->", DATABASE, "tcp", "5432"])
    _, back, _ = run("diff", str(closed), str(TEMPLATES), "--json")
    assert json.loads(back)["closed"] == []
    wanted = {"source": WEB, "destination": DATABASE, "ports": [[5432, 5432]], "partly": False}
    assert json.loads(back)["opened"] == [wanted]


def test_diff_can_refuse_what_is_opened(run: Run, closed: Path) -> None:
    assert run("diff", str(closed), str(TEMPLATES), "--port", "5432", "--refuse-opened")[0] == 3
    assert run("diff", str(TEMPLATES), str(closed), "--port", "5432", "--refuse-opened")[0] == 0
    assert run("diff", str(closed), str(TEMPLATES), "--port", "80", "--refuse-opened")[0] == 0


def test_diff_of_the_same_opens_and_closes_nothing(run: Run) -> None:
    status, out, _ = run("diff", str(TEMPLATES), str(TEMPLATES), "--refuse-opened")
    assert (status, out.strip()) == (0, "nothing is opened or closed")


@pytest.fixture
def snapshots(tmp_path: Path, closed: Path) -> tuple[Path, Path]:
    """What a live account would have answered before and after that change."""
    saved = []
    for folder in (TEMPLATES, closed):
        files = {it.name: it.read_text() for it in folder.iterdir() if it.suffix == ".yaml"}
        saved.append(tmp_path / f"snapshot-{len(saved)}")
        discover.save(answers_of(files, "nested-stack.yaml", {}, "us-west-2"), saved[-1], "us-west-2")
    return saved[0], saved[1]


def test_diff_of_two_snapshots_tells_the_same(run: Run, snapshots: tuple[Path, Path]) -> None:
    status, out, _ = run("diff", *map(str, snapshots))
    assert (status, out.split()) == (0, ["closed", WEB, "->", DATABASE, "tcp", "5432"])


def stand_as(root: str, snapshot: Path) -> None:
    """What a snapshot holds is named below a root stack, as what a live account has made is named."""
    for file in snapshot.rglob("*.json"):
        file.write_text(file.read_text().replace('"LogicalPath": "', f'"LogicalPath": "{root}/'))


def test_diff_finds_what_stands_by_the_names_in_its_templates(
    run: Run, snapshots: tuple[Path, Path], closed: Path
) -> None:
    stand_as("app", snapshots[0])
    status, out, _ = run("diff", str(snapshots[0]), str(TEMPLATES))
    assert (status, out.strip()) == (0, "nothing is opened or closed")
    status, out, _ = run("diff", str(snapshots[0]), str(closed))
    assert (status, out.split()) == (0, ["closed", WEB, "->", DATABASE, "tcp", "5432"])
    status, out, _ = run("diff", str(closed), str(snapshots[0]), "--refuse-opened")
    assert (status, out.split()) == (3, ["opened", WEB, "->", DATABASE, "tcp", "5432"])


def test_what_is_not_modelled_is_not_left_out_in_silence(run: Run, snapshots: tuple[Path, Path]) -> None:
    blocked = snapshots[0] / "aws_configs" / "us-west-2" / "VpcBlockPublicAccessOptions.json"
    blocked.write_text('{"VpcBlockPublicAccessOptions": [{"InternetGatewayBlockMode": "block-ingress"}]}')
    status, out, err = run("matrix", "--port", "443", "--json", "--snapshot", str(snapshots[0]))
    unknown = json.loads(out)["unknown"]
    assert status == 1
    assert unknown
    assert all("internet" in (one["source"], one["destination"]) for one in unknown)
    assert f"{len(unknown)} ordered pairs meet what is not modelled" in err
    first = unknown[0]["source_name"], unknown[0]["destination_name"]
    status, out, _ = run("reach", *first, "--port", "443", "--snapshot", str(snapshots[0]))
    assert status == 1
    assert "VPC Block Public Access" in out
    assert run("diff", *map(str, snapshots), "--port", "443")[0] == 1


@pytest.mark.parametrize(
    ("vpc", "why"),
    [
        ({"VpcId": "vpc-1", "CidrBlock": "bad"}, "'bad' does not appear to be an IPv4 or IPv6 network"),
        ({"CidrBlock": "10.0.0.0/16"}, "something in it has no 'VpcId'"),
    ],
)
def test_a_snapshot_with_a_wrong_value_is_one_line(
    run: Run, tmp_path: Path, vpc: dict[str, str], why: str
) -> None:
    (tmp_path / "Vpcs.json").write_text(json.dumps({"Vpcs": [vpc]}))
    status, _, err = run("matrix", "--snapshot", str(tmp_path))
    assert (status, why in err.splitlines()[-1], len(err.splitlines())) == (1, True, 1)


def test_diff_names_a_path_that_is_not_there(run: Run, tmp_path: Path) -> None:
    status, _, err = run("diff", str(TEMPLATES), str(tmp_path / "gone"))
    assert status == 2
    assert "there is no" in err


@pytest.mark.parametrize("seed", [2, 9, 21])
def test_the_list_says_what_reach_says_of_each_pair_and_stretch(seed: int) -> None:
    drawn = network(seed)
    found = {(one.source, one.destination): one.ports for one in survey(drawn, 6, PortRange(1, 90)).reached}
    for ports in stretches(drawn, 6, PortRange(1, 90)):
        for one in drawn.interfaces.values():
            if one.public and one.owner not in drawn.nat_gateways:
                ends = find(drawn, "internet"), find(drawn, one.id)
                first = PortRange(ports.first, ports.first)
                wanted = ask(drawn, Question(*ends, 6, first)).verdict == Verdict.REACHABLE
                listed = any(ports.first in each for each in found.get(("internet", one.id), ()))
                assert listed == wanted


def test_ports_are_taken_out_of_ports() -> None:
    left = without_all((PortRange(1, 10), PortRange(20, 30)), (PortRange(5, 22), PortRange(30, 40)))
    assert left == (PortRange(1, 4), PortRange(23, 29))


def test_what_differs_is_told_by_ports() -> None:
    before = [Reached("a", "b", (PortRange(1, 10),)), Reached("a", "c", (PortRange(5, 5),))]
    after = [Reached("a", "b", (PortRange(5, 12),))]
    opened, closed = differing(before, after)
    assert opened == [Reached("a", "b", (PortRange(11, 12),))]
    assert closed == [Reached("a", "b", (PortRange(1, 4),)), Reached("a", "c", (PortRange(5, 5),))]


@pytest.mark.parametrize("joined_by", ["peering", "transit-gateway"])
def test_the_warehouse_is_reached_in_every_zone_from_every_zone(run: Run, joined_by: str) -> None:
    _, out, _ = run("matrix", "--port", "5439", "--json", "--param", f"Interconnect={joined_by}")
    found = [one for one in json.loads(out)["reached"] if one["destination_name"] == WAREHOUSE]
    clients = {one["source"] for one in found}
    ends = {one["destination"] for one in found}
    assert {one["source_name"] for one in found} == {WEB, LOADER}
    assert len(ends) == 2
    assert len(found) == len(clients) * len(ends)
