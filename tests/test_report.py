"""What commands print, compared with files in tests/snapshots/; AWS_VPC_SNAPSHOTS=write renews them."""

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from aws_vpc import causes, plan, report
from aws_vpc.events import STACK, Event
from aws_vpc.plan import Change, Property
from aws_vpc.progress import Progress, draw

SNAPSHOTS = Path(__file__).parent / "snapshots"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOT, VPC, RDS = (
    "arn:aws:cloudformation:eu-west-1:123456789012:stack/" + name for name in ("root/1", "vpc/2", "rds/3")
)


def compare(name, text):
    path = SNAPSHOTS / name
    if os.environ.get("AWS_VPC_SNAPSHOTS") == "write":
        path.write_text(text)
    assert text == path.read_text()


def event(seconds, stack, path, kind, status, reason="", physical=""):
    return Event(
        event_id=f"{seconds}-{'-'.join(path)}-{status}",
        stack_id=stack,
        path=tuple(path),
        physical_id=physical,
        type=kind,
        status=status,
        reason=reason,
        timestamp=START + timedelta(seconds=seconds),
    )


FAILING = [
    event(0, ROOT, ["app"], STACK, "CREATE_IN_PROGRESS", "User Initiated", ROOT),
    event(0.4, ROOT, ["app", "NestedVPCStack"], STACK, "CREATE_IN_PROGRESS", physical=VPC),
    event(0.5, VPC, ["app", "NestedVPCStack", "Vpc"], "AWS::EC2::VPC", "CREATE_IN_PROGRESS"),
    event(3.2, VPC, ["app", "NestedVPCStack", "Vpc"], "AWS::EC2::VPC", "CREATE_COMPLETE", physical="vpc-1"),
    event(4, ROOT, ["app", "NestedVPCStack"], STACK, "CREATE_COMPLETE", physical=VPC),
    event(5, ROOT, ["app", "NestedRDSStack"], STACK, "CREATE_IN_PROGRESS", physical=RDS),
    event(6, RDS, ["app", "NestedRDSStack", "Database"], "AWS::RDS::DBInstance", "CREATE_IN_PROGRESS"),
    event(6, RDS, ["app", "NestedRDSStack", "Group"], "AWS::RDS::DBParameterGroup", "CREATE_IN_PROGRESS"),
    event(
        9,
        RDS,
        ["app", "NestedRDSStack", "Database"],
        "AWS::RDS::DBInstance",
        "CREATE_FAILED",
        "no such\n class",
    ),
    event(
        9,
        RDS,
        ["app", "NestedRDSStack", "Group"],
        "AWS::RDS::DBParameterGroup",
        "CREATE_FAILED",
        "Resource creation cancelled",
    ),
    event(
        9.5,
        RDS,
        ["app", "NestedRDSStack"],
        STACK,
        "CREATE_FAILED",
        "The following resource(s) failed to create: [Database, Group].",
        RDS,
    ),
    event(
        9.6,
        ROOT,
        ["app", "NestedRDSStack"],
        STACK,
        "CREATE_FAILED",
        f"Embedded stack {RDS} was not successfully created:"
        " The following resource(s) failed to create: [Database].",
        RDS,
    ),
    event(
        9.7,
        ROOT,
        ["app"],
        STACK,
        "ROLLBACK_IN_PROGRESS",
        "The following resource(s) failed to create: [NestedRDSStack]. Rollback requested by user.",
        ROOT,
    ),
    event(12, ROOT, ["app"], STACK, "ROLLBACK_COMPLETE", physical=ROOT),
]


def test_events_are_one_line_each_with_nested_stacks_indented():
    compare("events.txt", "".join(f"{report.event_line(one, START)}\n" for one in FAILING))


def test_a_failure_names_the_deepest_cause_and_leaves_out_noise():
    found = causes.causes(FAILING)
    assert [one.path for one in found] == [("app", "NestedRDSStack", "Database")]
    assert report.failure(found) == (
        "app/NestedRDSStack/Database (AWS::RDS::DBInstance) CREATE_FAILED: no such class [template fault]"
    )


def test_a_nested_stack_that_fails_by_itself_is_the_cause():
    own = event(1, ROOT, ["app", "Net"], STACK, "CREATE_FAILED", "Template format error: [A]")
    root = event(
        2, ROOT, ["app"], STACK, "CREATE_FAILED", "The following resource(s) failed to create: [Net].", ROOT
    )
    assert [one.path for one in causes.causes([own, root])] == [("app", "Net")]


def test_every_distinct_cause_is_told_once_the_deepest_first():
    shallow = event(1, ROOT, ["app", "Queue"], "AWS::SQS::Queue", "CREATE_FAILED", "name taken")
    deep = event(2, VPC, ["app", "Net", "Vpc"], "AWS::EC2::VPC", "CREATE_FAILED", "limit exceeded")
    assert [one.path[-1] for one in causes.causes([shallow, deep, deep])] == ["Vpc", "Queue"]


def test_a_stack_in_which_everything_was_cancelled_is_no_cause():
    inside = event(3, RDS, ["app", "Rds", "Group"], "X", "CREATE_FAILED", "Resource creation cancelled")
    reason = "The following resource(s) failed to create: [Group]."
    own = event(4, RDS, ["app", "Rds"], STACK, "CREATE_FAILED", reason, RDS)
    real = event(2, ROOT, ["app", "Queue"], "AWS::SQS::Queue", "CREATE_FAILED", "name taken")
    assert [one.path[-1] for one in causes.causes([real, inside, own])] == ["Queue"]


def test_nothing_failed_has_no_cause():
    assert causes.causes(FAILING[:5]) == []
    assert report.failure([]) == "no resource gave a reason"


def drawn(progress, now, room=None):
    stream = io.StringIO()
    Console(file=stream, width=110, color_system=None, force_terminal=False).print(draw(progress, now, room))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def test_the_live_tree_shows_every_resource_and_who_is_at_work():
    progress = Progress()
    for one in FAILING[:8]:
        progress.add(one)
    compare("tree.txt", drawn(progress, START + timedelta(seconds=7)))
    compare("tree_small.txt", drawn(progress, START + timedelta(seconds=7), room=5))


def test_the_finished_tree_keeps_the_reason():
    progress = Progress()
    for one in FAILING:
        progress.add(one)
    compare("tree_failed.txt", drawn(progress, START + timedelta(seconds=60)))


CHANGES = [
    Change(("NestedVPCStack",), STACK, "Modify"),
    Change(
        ("NestedVPCStack", "Vpc"),
        "AWS::EC2::VPC",
        "Modify",
        properties=(Property("/Properties/Tags", "old", "new"),),
    ),
    Change(
        ("NestedRDSStack", "Database"),
        "AWS::RDS::DBInstance",
        "Modify",
        "True",
        properties=(
            Property("/Properties/DBName", "people", "persons", "Always"),
            Property("/Properties/DBSubnetGroupName", recreation="Always", dynamic=True),
        ),
    ),
    Change(("NestedEC2Stack", "ElasticIp"), "AWS::EC2::EIP", "Add"),
    Change(("NestedEC2Stack", "Alarm"), "AWS::CloudWatch::Alarm", "Remove"),
    Change(("NestedBatchStack", "DataBucket"), "AWS::S3::Bucket", "Remove", policy="Retain"),
    Change(
        ("NestedEC2Stack", "WebServer"),
        "AWS::EC2::Instance",
        "Modify",
        "Conditional",
        properties=(Property("/Properties/SubnetId", recreation="Always", dynamic=True),),
    ),
]


def test_changes_are_a_table_with_replacement_in_capitals():
    compare("changes.txt", "".join(f"{line}\n" for line in report.change_lines(CHANGES)))


@pytest.mark.parametrize(
    ("before", "after", "removed", "line"),
    [
        (None, "", False, "Parameters/Hosts: empty"),
        ("", "pages.example.com", False, "Parameters/Hosts: empty → pages.example.com"),
        ("pages.example.com", "", False, "Parameters/Hosts: pages.example.com → empty"),
        ("pages.example.com", None, True, "Parameters/Hosts: pages.example.com → removed"),
        ("pages.example.com", None, False, "Parameters/Hosts: pages.example.com → «known after apply»"),
    ],
)
def test_an_empty_value_is_not_one_that_is_removed(before, after, removed, line):
    changed = Property("Parameters/Hosts", before, after, removed=removed)
    assert report.property_lines(changed) == [line]


def test_changes_as_values_tell_what_destroys():
    found = {one["path"]: one["destroys"] for one in report.change_values(CHANGES)}
    assert [path for path, destroys in found.items() if destroys] == [
        "NestedRDSStack/Database",
        "NestedEC2Stack/Alarm",
        "NestedBatchStack/DataBucket",
    ]
    assert len(plan.destroyed(CHANGES)) == 3


def test_outputs_and_rows_stand_in_columns():
    assert report.output_lines({"WebUrl": "http://localhost:1", "Bucket": "b"}) == [
        "  WebUrl  http://localhost:1",
        "  Bucket  b",
    ]
    assert report.row_lines({"rds": {"table_rows": 50}, "redshift": {"rows": 49}}) == [
        "  database   50 rows",
        "  warehouse  49 rows",
    ]
    assert report.output_lines({}) == []


@pytest.mark.parametrize(
    ("version", "wanted", "notes"),
    [
        ("17.10", "18", ["the database answers as PostgreSQL 17.10, the template asks for 18"]),
        ("18.1", "18", []),
        ("18.1", "18.3", []),
        (None, "18", []),
        ("17.10", "", []),
    ],
)
def test_another_major_version_is_remarked(version, wanted, notes):
    assert report.version_notes({"databases": {"rds": {"version": version}}}, wanted) == notes


def test_without_a_page_there_is_nothing_to_remark():
    assert report.version_notes(None, "18") == []


def test_a_result_has_a_schema_and_leaves_out_what_is_not_known():
    assert report.result("created", "app", web=None, rows={"rds": 1}) == {
        "schema": 1,
        "action": "created",
        "stack": "app",
        "rows": {"rds": 1},
    }
