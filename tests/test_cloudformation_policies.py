# ruff: noqa: E501 - AWS's messages stand in one piece
"""CloudFormation's policies as AWS documents them: what is kept, what goes, what may change, who imports."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from cloudformation_bench import Bench, as_new, running_bench, thing

running = pytest.fixture(running_bench, scope="module")
aws = pytest.fixture(as_new)


def test_retain_keeps_the_resource_and_says_so(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A", ", DeletionPolicy: Retain") + thing("B"))
    kept = aws.physical(stack, "A")
    assert aws.delete(stack) == "DELETE_COMPLETE"
    assert list(aws.things.standing) == [kept]
    assert aws.statuses(stack, "A")[-1] == "DELETE_SKIPPED"


def test_snapshot_is_taken_before_the_resource_goes(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A", ", DeletionPolicy: Snapshot"))
    aws.delete(stack)
    assert aws.things.calls[-2:] == [("snapshot", "A"), ("delete", "A")]


@pytest.mark.parametrize(("policy", "option", "left"), [
    ("Retain", False, 1), ("Retain", True, 0), ("RetainExceptOnCreate", False, 0), ("Delete", False, 0),
])  # fmt: skip
def test_what_a_failed_create_leaves_behind(aws: Bench, policy: str, option: bool, left: int) -> None:
    template = (
        "Resources:\n"
        + thing("A", f", DeletionPolicy: {policy}")
        + thing("B", ", DependsOn: A", Fail="create")
    )
    stack = aws.create(template, RetainExceptOnCreate=option)
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    assert len(aws.things.standing) == left


def test_a_retained_child_goes_with_a_failed_create_when_asked(aws: Bench) -> None:
    url = aws.put("kept.yaml", "Resources:\n" + thing("Inner"))
    template = f"""
Resources:
  Child: {{Type: AWS::CloudFormation::Stack, DeletionPolicy: Retain, Properties: {{TemplateURL: '{url}'}}}}
{thing("Bad", ", DependsOn: Child", Fail="create")}"""
    stack = aws.create(template, RetainExceptOnCreate=True)
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    assert aws.things.standing == {}
    assert aws.status(aws.physical(stack, "Child")) == "DELETE_COMPLETE"


def test_a_retained_child_survives_its_parent_and_can_be_deleted_alone(aws: Bench) -> None:
    url = aws.put("kept.yaml", "Resources:\n" + thing("Inner"))
    template = (
        f"Resources: {{Child: {{Type: AWS::CloudFormation::Stack, DeletionPolicy: Retain, "
        f"Properties: {{TemplateURL: '{url}'}}}}}}"
    )
    stack = aws.create(template)
    child = aws.physical(stack, "Child")
    assert aws.delete(stack) == "DELETE_COMPLETE"
    assert aws.status(child) == "CREATE_COMPLETE"
    assert aws.delete(child) == "DELETE_COMPLETE"
    assert aws.things.standing == {}


def test_on_failure_says_what_becomes_of_a_failed_stack(aws: Bench) -> None:
    template = "Resources:\n" + thing("A") + thing("B", ", DependsOn: A", Fail="create")
    kept = aws.create(template, OnFailure="DO_NOTHING")
    assert aws.status(kept) == "CREATE_FAILED"
    assert len(aws.things.standing) == 1
    gone = aws.create(template, OnFailure="DELETE")
    assert aws.status(gone) == "DELETE_COMPLETE"
    assert aws.status(aws.create(template, DisableRollback=True)) == "CREATE_FAILED"


def test_a_failed_delete_can_be_repeated_without_the_resource(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A") + thing("B", ", DependsOn: A", Fail="delete"))
    assert aws.delete(stack) == "DELETE_FAILED"
    assert aws.stack(stack)["StackStatusReason"] == "The following resource(s) failed to delete: [B]."
    assert aws.resources(stack)["A"]["ResourceStatus"] == "CREATE_COMPLETE"
    assert aws.delete(stack, RetainResources=["B"]) == "DELETE_COMPLETE"
    assert aws.statuses(stack, "B")[-1] == "DELETE_SKIPPED"
    assert aws.things.did("delete") == ["B", "A"]


def test_retain_resources_is_for_failed_deletes_only(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing())
    with pytest.raises(ClientError, match="only allowed when the stack is in the DELETE_FAILED state"):
        aws.cfn.delete_stack(StackName=stack, RetainResources=["A"])


def test_termination_protection_refuses_the_delete(aws: Bench) -> None:
    name = aws.name()
    stack = aws.create("Resources:\n" + thing(), name, EnableTerminationProtection=True)
    with pytest.raises(
        ClientError, match=rf"Stack \[{name}\] cannot be deleted while TerminationProtection is enabled"
    ):
        aws.cfn.delete_stack(StackName=stack)
    aws.cfn.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    assert aws.delete(stack) == "DELETE_COMPLETE"


def exporting(name: str, value: str = "one") -> str:
    return f"Resources:\n{thing(Value=value)}Outputs: {{O: {{Value: !GetAtt A.Value, Export: {{Name: {name}}}}}}}\n"


def test_exports_are_imported_listed_and_guarded(aws: Bench) -> None:
    export = aws.name("export")
    owner = aws.create(exporting(export))
    user_name = aws.name("user")
    user = aws.create("Resources:\n" + thing(Value=f"!ImportValue {export}"), user_name)
    assert aws.things.standing[aws.physical(user, "A")]["Value"] == "one"
    assert [one["Value"] for one in aws.cfn.list_exports()["Exports"] if one["Name"] == export] == ["one"]
    assert aws.cfn.list_imports(ExportName=export)["Imports"] == [user_name]
    said = f"Cannot delete export {export} as it is in use by {user_name}"
    with pytest.raises(ClientError, match=said):
        aws.cfn.delete_stack(StackName=owner)
    assert aws.update(owner, exporting(export, "two")) == "UPDATE_ROLLBACK_COMPLETE"
    said = f"Export {export} cannot be updated as it is in use by {user_name}"
    assert said in aws.reason(owner, aws.stack(owner)["StackName"], "UPDATE_ROLLBACK_IN_PROGRESS")
    assert aws.delete(user) == "DELETE_COMPLETE"
    assert aws.delete(owner) == "DELETE_COMPLETE"


def test_an_unknown_export_fails_the_stack(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing(Value="!ImportValue nowhere"))
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    assert "No export named nowhere found" in aws.reason(stack, "A", "CREATE_FAILED")


def test_an_export_name_is_anothers_only_once(aws: Bench) -> None:
    export = aws.name("export")
    owner = aws.create(exporting(export), aws.name("owner"))
    second = aws.create(exporting(export))
    assert aws.status(second) == "ROLLBACK_COMPLETE"
    name = aws.stack(owner)["StackName"]
    said = f"Export with name {export} is already exported by stack {name}."
    assert said in aws.reason(second, aws.stack(second)["StackName"], "ROLLBACK_IN_PROGRESS")
    aws.delete(owner)


def test_removed_resources_go_in_the_cleanup_dependants_first(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A") + thing("B", Value="!Ref A") + thing("C"))
    assert aws.update(stack, "Resources:\n" + thing("C")) == "UPDATE_COMPLETE"
    assert aws.things.did("delete") == ["B", "A"]
    assert list(aws.resources(stack)) == ["C"]


def test_force_delete_leaves_behind_what_cannot_go(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A", Fail="delete"))
    with pytest.raises(ClientError, match="FORCE_DELETE_STACK is only allowed"):
        aws.cfn.delete_stack(StackName=stack, DeletionMode="FORCE_DELETE_STACK")
    assert aws.delete(stack) == "DELETE_FAILED"
    assert aws.delete(stack, DeletionMode="FORCE_DELETE_STACK") == "DELETE_COMPLETE"
    assert len(aws.things.standing) == 1


def test_update_replace_policy_keeps_the_replaced_resource(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", ", UpdateReplacePolicy: Retain", Fixed="x")
    stack = aws.create(template)
    assert aws.update(stack, template.replace("Fixed: x", "Fixed: y")) == "UPDATE_COMPLETE"
    assert len(aws.things.standing) == 2
    assert aws.statuses(stack, "A")[-1] == "DELETE_SKIPPED"


def test_deletion_policy_keeps_what_leaves_the_template(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A", ", DeletionPolicy: Retain") + thing("B"))
    assert aws.update(stack, "Resources:\n" + thing("B")) == "UPDATE_COMPLETE"
    assert len(aws.things.standing) == 2
    assert list(aws.resources(stack)) == ["B"]


def test_a_failed_cleanup_does_not_fail_the_update(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A", Fail="delete") + thing("B"))
    assert aws.update(stack, "Resources:\n" + thing("B")) == "UPDATE_COMPLETE"
    assert aws.statuses(stack, "A")[-1] == "DELETE_FAILED"


def test_a_failed_replacement_leaves_the_old_resource(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Fixed="x")
    stack = aws.create(template)
    old = aws.physical(stack, "A")
    assert (
        aws.update(stack, template.replace("Fixed: x", "Fixed: y, Fail: create"))
        == "UPDATE_ROLLBACK_COMPLETE"
    )
    assert aws.physical(stack, "A") == old
    assert aws.things.standing == {old: {"Fixed": "x"}}


def test_what_replaced_goes_when_another_fails(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Fixed="x") + thing("B", Value="!Ref A")
    stack = aws.create(template)
    old = aws.physical(stack, "A")
    changed = template.replace("Fixed: x", "Fixed: y").replace("Value: !Ref A", "Value: !Ref A, Fail: update")
    assert aws.update(stack, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.physical(stack, "A") == old
    assert {one.get("Value") for one in aws.things.standing.values()} == {None, old}
    assert len(aws.things.standing) == 2


DENY = '{"Statement": [{"Effect": "Deny", "Action": "%s", "Principal": "*", "Resource": "LogicalResourceId/A"}, {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'


@pytest.mark.parametrize(("action", "change"), [
    ("Update:Modify", ("Value: 1", "Value: 2")), ("Update:*", ("Value: 1", "Value: 2")),
    ("Update:Delete", ("  A:", "  C:")),
])  # fmt: skip
def test_a_stack_policy_denies_the_update_and_can_be_lifted_for_one(
    aws: Bench, action: str, change: tuple[str, str]
) -> None:
    template = "Resources:\n" + thing("A", Value="1") + thing("B", Value="b")
    stack = aws.create(template, StackPolicyBody=DENY % action)
    assert aws.update(stack, template.replace(*change)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Action denied by stack policy: Statement [#1] does not allow" in str(aws.events(stack))
    assert sorted(str(one["Value"]) for one in aws.things.standing.values()) == ["1", "b"]
    allow = '{"Statement": {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}}'
    assert (
        aws.update(stack, template.replace(*change), StackPolicyDuringUpdateBody=allow) == "UPDATE_COMPLETE"
    )
    assert aws.cfn.get_stack_policy(StackName=stack)["StackPolicyBody"] == DENY % action


def test_a_malformed_stack_policy_is_refused(aws: Bench) -> None:
    with pytest.raises(ClientError, match="Error validating stack policy"):
        aws.create("Resources:\n" + thing(), StackPolicyBody='{"Statement": [{}]}')
