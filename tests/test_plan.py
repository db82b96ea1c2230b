"""Statuses to steps, change sets to changes, children to waves."""

import pytest

from aws_vpc import plan
from aws_vpc.errors import Error
from aws_vpc.plan import Step

TABLE = [
    # status, create, update, teardown
    (None, Step.CREATE, Step.REFUSE, Step.NOTHING),
    ("DELETE_COMPLETE", Step.CREATE, Step.REFUSE, Step.NOTHING),
    ("CREATE_COMPLETE", Step.NOTHING, Step.UPDATE, Step.DELETE),
    ("UPDATE_COMPLETE", Step.NOTHING, Step.UPDATE, Step.DELETE),
    ("UPDATE_ROLLBACK_COMPLETE", Step.NOTHING, Step.UPDATE, Step.DELETE),
    ("IMPORT_COMPLETE", Step.NOTHING, Step.UPDATE, Step.DELETE),
    ("ROLLBACK_COMPLETE", Step.RECREATE, Step.REFUSE, Step.DELETE),
    ("ROLLBACK_FAILED", Step.RECREATE, Step.REFUSE, Step.DELETE),
    ("CREATE_FAILED", Step.RECREATE, Step.UPDATE, Step.DELETE),
    ("DELETE_FAILED", Step.RECREATE, Step.REFUSE, Step.DELETE),
    ("REVIEW_IN_PROGRESS", Step.CREATE, Step.REFUSE, Step.DELETE),
    ("UPDATE_FAILED", Step.REFUSE, Step.UPDATE, Step.DELETE),
    ("UPDATE_ROLLBACK_FAILED", Step.REFUSE, Step.REFUSE, Step.DELETE),
    ("CREATE_IN_PROGRESS", Step.ATTACH, Step.ATTACH, Step.ATTACH),
    ("ROLLBACK_IN_PROGRESS", Step.ATTACH, Step.ATTACH, Step.ATTACH),
    ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Step.ATTACH, Step.ATTACH, Step.ATTACH),
    ("DELETE_IN_PROGRESS", Step.ATTACH, Step.ATTACH, Step.ATTACH),
]


@pytest.mark.parametrize(("status", "create", "update", "teardown"), TABLE)
def test_a_status_calls_for_one_step_per_command(status, create, update, teardown):
    found = tuple(plan.step(command, status) for command in ("create", "update", "teardown"))
    assert found == (create, update, teardown)


def test_every_status_that_cloudformation_knows_has_a_step(cloudformation_statuses):
    for status in cloudformation_statuses:
        for command in plan.TABLES:
            assert plan.step(command, status)


@pytest.fixture
def cloudformation_statuses():
    import botocore.session

    model = botocore.session.get_session().get_service_model("cloudformation")
    return model.shape_for("StackStatus").enum


def test_an_unknown_status_is_an_error_not_a_guess():
    with pytest.raises(Error, match="SHINY_COMPLETE is not known"):
        plan.step("create", "SHINY_COMPLETE")


def test_a_refusal_names_the_way_out():
    assert plan.refusal("update", "app", None) == (
        "stack app does not exist, so update cannot go on; ./create_stacks.sh makes it"
    )
    assert "--stack-name app --continue-rollback goes on" in plan.refusal(
        "update", "app", "UPDATE_ROLLBACK_FAILED"
    )
    assert "deletes it and makes it again" in plan.refusal("update", "app", "ROLLBACK_COMPLETE")


def member(logical, action="Modify", replacement="False", *details, **more):
    return {
        "Type": "Resource",
        "ResourceChange": {
            "LogicalResourceId": logical,
            "ResourceType": "AWS::EC2::Subnet",
            "Action": action,
            "Replacement": replacement,
            "Details": list(details),
            **more,
        },
    }


def detail(name, recreation, evaluation="Static"):
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": evaluation}


CHANGES = [
    # what the change set says, does it take consent
    (member("A", "Add"), False),
    (member("A", "Modify", "False", detail("Tags", "Never")), False),
    (member("A", "Modify", "True", detail("CidrBlock", "Always")), True),
    (member("A", "Modify", "Conditional", detail("VpcId", "Always", "Dynamic")), False),
    (member("A", "Modify", "True", detail("VpcId", "Always", "Dynamic")), False),
    (member("A", "Modify", "Conditional", detail("InstanceType", "Conditionally")), False),
    (member("A", "Modify", "True"), True),
    (member("A", "Remove"), True),
    (member("A", "Remove", PolicyAction="Retain"), True),
]


@pytest.mark.parametrize(("said", "consent"), CHANGES)
def test_only_what_goes_away_for_certain_takes_consent(said, consent):
    found = plan.changes([((), {"Changes": [said]})])
    assert bool(plan.destroyed(found)) is consent


def test_a_rule_made_anew_takes_no_consent_but_a_removed_one_does():
    rule = {"ResourceType": "AWS::EC2::SecurityGroupIngress"}
    anew = member("Rule", "Modify", "True", detail("FromPort", "Always"), **rule)
    found = plan.changes([((), {"Changes": [anew, member("Old", "Remove", **rule)]})])
    assert found[0].destroys
    assert [one.path for one in plan.destroyed(found)] == [("Old",)]


def test_changes_of_nested_stacks_carry_their_path():
    found = plan.changes([((), {"Changes": [member("Net")]}), (("Net",), {"Changes": [member("Subnet")]})])
    assert [one.path for one in found] == [("Net",), ("Net", "Subnet")]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes.",
        "No updates are to be performed.",
    ],
)
def test_nothing_to_change_is_told_from_a_failure(reason):
    assert plan.is_empty(reason)
    assert not plan.is_empty("Parameters: [Colour] do not exist in the template")


GRAPH = {"Vpc": [], "Ec2": ["Vpc"], "Rds": ["Vpc"], "Batch": ["Rds", "Vpc"], "Deploy": ["Ec2", "Rds"]}


def test_teardown_goes_in_waves_users_first():
    assert plan.teardown_order(GRAPH, GRAPH) == [["Batch", "Deploy"], ["Ec2", "Rds"], ["Vpc"]]


def test_teardown_keeps_the_order_when_a_stack_between_is_gone_already():
    assert plan.teardown_order(["Vpc", "Batch"], {"Batch": ["Rds"], "Rds": ["Vpc"]}) == [["Batch"], ["Vpc"]]


def test_teardown_of_a_circle_is_an_error():
    with pytest.raises(Error, match="in a circle"):
        plan.teardown_order(["A", "B"], {"A": ["B"], "B": ["A"]})


def test_a_launch_template_with_a_new_version_replaces_its_instance_and_needs_consent() -> None:
    image = plan.Property("/Properties/LaunchTemplateData/ImageId", "ami-1", "ami-2")
    where, kind = ("NestedEC2Stack", "WebServerLaunchTemplate"), "AWS::EC2::LaunchTemplate"
    template = plan.Change(where, kind, "Modify", properties=(image,))
    assert plan.destroyed([template]) == [template]
    tags = plan.Property("/Properties/TagSpecifications", "a", "b")
    assert plan.destroyed([plan.Change(where, kind, "Modify", properties=(tags,))]) == []
    assert plan.destroyed([plan.Change(where, kind, "Add")]) == []


def test_a_release_to_elastic_beanstalk_needs_no_consent() -> None:
    bundle = plan.Property("/Properties/SourceBundle/S3Key", "web/1.zip", "web/2.zip", "Always")
    released = plan.Change(
        ("NestedElasticBeanstalkStack", "WebVersion"), "AWS::ElasticBeanstalk::ApplicationVersion",
        "Modify", "True", properties=(bundle,),
    )  # fmt: skip
    assert plan.destroyed([released]) == []


def test_a_nested_stack_that_the_root_gives_up_is_shown_as_deleted() -> None:
    gone = plan.Change(("NestedFlowLogsStack",), plan.NESTED, "Remove", policy="Retain")
    inside = plan.Change(("NestedVPCStack", "Deep"), plan.NESTED, "Remove", policy="Retain")
    assert plan.given_up([gone, inside]) == ["NestedFlowLogsStack"]
    assert [one.policy for one in plan.with_deletions([gone, inside])] == ["Delete", "Retain"]
