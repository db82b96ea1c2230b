# ruff: noqa: E501 - AWS's messages stand in one piece
"""CloudFormation's rules as AWS documents them: policies, exports, parameters, tokens, signals, refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloudformation_bench import THING, Bench, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with serving(tmp_path_factory.mktemp("cloudformation")) as bench:
        yield bench


@pytest.fixture
def aws(running: Bench) -> Bench:
    running.things.__init__()  # type: ignore[misc]
    return running


def thing(name: str = "A", more: str = "", **properties: Any) -> str:
    shown = ", ".join(f"{key}: {value}" for key, value in properties.items())
    return f"  {name}: {{Type: {THING}{more}, Properties: {{{shown}}}}}\n"


# (template, options of the call, error code, AWS's message)
REFUSALS = [
    ("Resources: {}", {}, "ValidationError", "Template format error: At least one Resources member must be defined."),
    ("just text", {}, "ValidationError", "Template format error: unsupported structure."),
    (
        "Resources: {A: {Type: AWS::Nowhere::Nothing}}", {}, "ValidationError",
        "Template format error: Unrecognized resource types: [AWS::Nowhere::Nothing]",
    ),
    (
        "Parameters: {P: {Type: Bool}}\nResources:\n" + thing(), {}, "ValidationError",
        "Template format error: Unrecognized parameter type: Bool",
    ),
    (
        "Resources:\n" + thing(Value="!Ref Nobody"), {}, "ValidationError",
        "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
    ),
    (
        "Resources:\n" + thing(Value="!GetAtt Nobody.Arn"), {}, "ValidationError",
        "Template error: instance of Fn::GetAtt references undefined resource Nobody",
    ),
    (
        "Resources:\n" + thing("A", Value="!Ref B") + thing("B", Value="!Ref A"), {}, "ValidationError",
        "Circular dependency between resources: [A, B]",
    ),
    (
        "Parameters: {P: {Type: String}}\nResources:\n" + thing(), {}, "ValidationError",
        "Parameters: [P] must have values",
    ),
    (
        "Resources:\n" + thing(), {"Parameters": [{"ParameterKey": "Q", "ParameterValue": "1"}]}, "ValidationError",
        "Parameters: [Q] do not exist in the template",
    ),
    (
        "Resources: {R: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: {}}}}", {},
        "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]",
    ),
    (
        "Resources: {R: {Type: 'AWS::IAM::Role', Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}}",
        {"Capabilities": ["CAPABILITY_IAM"]},
        "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]",
    ),
    (
        "Conditions: {Never: !Equals [a, b]}\nResources:\n" + thing("A", ", Condition: Never") + thing("B", Value="!Ref A"),
        {}, "ValidationError",
        "Template format error: Unresolved resource dependencies [A] in the Resources block of the template",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("template", "options", "code", "message"), REFUSALS)
def test_what_aws_refuses_is_refused_in_its_words_and_makes_no_stack(
    aws: Bench, template: str, options: dict[str, Any], code: str, message: str
) -> None:
    name = aws.name()
    with pytest.raises(ClientError) as error:
        aws.cfn.create_stack(StackName=name, TemplateBody=template, **options)
    said = error.value.response["Error"]
    assert (said["Code"], said["Message"]) == (code, message)
    with pytest.raises(ClientError, match=f"Stack with id {name} does not exist"):
        aws.stack(name)


def test_a_taken_name_and_a_bad_name_are_refused(aws: Bench) -> None:
    name = aws.name()
    aws.create("Resources:\n" + thing(), name)
    with pytest.raises(aws.cfn.exceptions.AlreadyExistsException, match=rf"Stack \[{name}\] already exists"):
        aws.create("Resources:\n" + thing(), name)
    with pytest.raises(ClientError, match=r"Value 'a_b' at 'stackName' failed to satisfy constraint"):
        aws.create("Resources:\n" + thing(), "a_b")


def test_no_echo_values_are_never_shown(aws: Bench) -> None:
    template = "Parameters: {Word: {Type: String, NoEcho: true}}\nResources:\n" + thing(Value="!Ref Word")
    stack = aws.create(template, Parameters=[{"ParameterKey": "Word", "ParameterValue": "hidden-word"}])
    assert aws.stack(stack)["Parameters"] == [{"ParameterKey": "Word", "ParameterValue": "****"}]
    assert "hidden-word" not in str(aws.cfn.describe_stack_events(StackName=stack))
    assert [one["Value"] for one in aws.things.standing.values()] == ["hidden-word"]
    made = aws.cfn.create_change_set(
        StackName=stack, ChangeSetName="c", UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Word", "ParameterValue": "next-word"}],
    )  # fmt: skip
    aws.cfn.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"], WaiterConfig={"Delay": 1})
    shown = str(aws.cfn.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True))
    assert "hidden-word" not in shown and "next-word" not in shown


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


def test_the_same_client_request_token_means_the_same_stack(aws: Bench) -> None:
    name, template = aws.name(), "Resources:\n" + thing()
    first = aws.create(template, name, ClientRequestToken="t1")
    assert aws.create(template, name, ClientRequestToken="t1") == first
    with pytest.raises(aws.cfn.exceptions.TokenAlreadyExistsException):
        aws.create("Resources:\n" + thing("B"), name, ClientRequestToken="t1")
    events = aws.cfn.describe_stack_events(StackName=first)["StackEvents"]
    assert {one["ClientRequestToken"] for one in events} == {"t1"}


def test_use_previous_value_keeps_what_was_given(aws: Bench) -> None:
    template = (
        "Parameters: {P: {Type: String, Default: d}, Q: {Type: String, Default: e}}\nResources:\n"
        + thing(Value="!Sub '${P}${Q}'")
    )
    stack = aws.create(template, Parameters=[{"ParameterKey": "P", "ParameterValue": "p"}])
    aws.update(stack, Parameters=[
        {"ParameterKey": "P", "UsePreviousValue": True}, {"ParameterKey": "Q", "ParameterValue": "q"},
    ])  # fmt: skip
    assert [one["Value"] for one in aws.things.standing.values()] == ["pq"]
    aws.update(stack)  # what is left out takes its default again
    assert [one["Value"] for one in aws.things.standing.values()] == ["de"]


def test_a_stored_parameter_is_resolved_and_both_are_shown(aws: Bench) -> None:
    aws.client("ssm").put_parameter(Name="/bench/word", Value="stored", Type="String", Overwrite=True)
    template = "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>'}}\nResources:\n" + thing(
        Value="!Ref P"
    )
    stack = aws.create(template, Parameters=[{"ParameterKey": "P", "ParameterValue": "/bench/word"}])
    shown = {"ParameterKey": "P", "ParameterValue": "/bench/word", "ResolvedValue": "stored"}
    assert aws.stack(stack)["Parameters"] == [shown]
    assert [one["Value"] for one in aws.things.standing.values()] == ["stored"]
    with pytest.raises(ClientError, match=r"Unable to fetch parameters \[/no/such\] from parameter store"):
        aws.create(template, Parameters=[{"ParameterKey": "P", "ParameterValue": "/no/such"}])


def test_dynamic_references_reach_the_resource_and_nothing_else(aws: Bench) -> None:
    aws.client("ssm").put_parameter(Name="plain", Value="text", Type="String", Overwrite=True)
    name = aws.name("secret")
    arn = aws.client("secretsmanager").create_secret(Name=name, SecretString='{"password": "pass-word-1"}')[
        "ARN"
    ]
    template = "Resources:\n" + thing(
        Value="'{{resolve:ssm:plain}}-{{resolve:secretsmanager:" + name + ":SecretString:password}}'",
        Other="'{{resolve:secretsmanager:" + arn + ":SecretString:password::}}'",
    )
    stack = aws.create(template)
    assert list(aws.things.standing.values()) == [{"Value": "text-pass-word-1", "Other": "pass-word-1"}]
    assert "pass-word-1" not in str(aws.cfn.describe_stack_events(StackName=stack))


def test_creation_policy_waits_for_its_signals(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", ", CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT10S}}")
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "A")
    for id in ("one", "one", "two"):
        assert aws.status(stack) == "CREATE_IN_PROGRESS"
        aws.cfn.signal_resource(StackName=stack, LogicalResourceId="A", UniqueId=id, Status="SUCCESS")
    assert aws.settle(stack) == "CREATE_COMPLETE"


def test_missing_signals_fail_the_resource(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", ", CreationPolicy: {ResourceSignal: {Timeout: PT1S}}")
    stack = aws.create(template)
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    assert "Failed to receive 1 resource signal(s) within the specified duration" in aws.reason(
        stack, "A", "CREATE_FAILED"
    )
    assert aws.things.standing == {}


def test_cancel_update_goes_back(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Value="1") + thing("B", ", DependsOn: A", Value="1")
    stack = aws.create(template)
    aws.cfn.update_stack(StackName=stack, TemplateBody=template.replace("Value: 1", "Value: 2, Gate: cancel"))
    aws.until(stack, "UPDATE_IN_PROGRESS", "A")
    aws.cfn.cancel_update_stack(StackName=stack)
    aws.until(stack, "UPDATE_FAILED", "A")
    aws.things.gate("cancel").set()
    assert aws.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert list(aws.things.standing.values()) == [{"Value": 1}, {"Value": 1}]
    with pytest.raises(ClientError, match="CancelUpdateStack cannot be called from current stack status"):
        aws.cfn.cancel_update_stack(StackName=stack)


def test_a_failed_rollback_can_be_continued_without_the_resource(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Value="1", Fail="update") + thing("B", ", DependsOn: A", Value="1")
    stack = aws.create(template)
    changed = template.replace("Fail: update", "Other: x").replace("Value: 1}}\n  ", "Value: 2}}\n  ")
    changed = changed.replace(
        "DependsOn: A, Properties: {Value: 1", "DependsOn: A, Properties: {Fail: update, Value: 2"
    )
    assert aws.update(stack, changed) == "UPDATE_ROLLBACK_FAILED"
    assert aws.stack(stack)["StackStatusReason"] == "The following resource(s) failed to update: [A]."
    with pytest.raises(ClientError, match=r"Resources to skip \[Z\] are not in UPDATE_FAILED state"):
        aws.cfn.continue_update_rollback(StackName=stack, ResourcesToSkip=["Z"])
    aws.cfn.continue_update_rollback(StackName=stack, ResourcesToSkip=["A"])
    assert aws.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_without_rollback_stays_failed_until_it_is_rolled_back(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Value="1") + thing("B", ", DependsOn: A", Value="1")
    stack = aws.create(template)
    changed = template.replace("Value: 1", "Value: 2").replace(
        "DependsOn: A, Properties: {", "DependsOn: A, Properties: {Fail: update, "
    )
    assert aws.update(stack, changed, DisableRollback=True) == "UPDATE_FAILED"
    assert sorted(one["Value"] for one in aws.things.standing.values()) == [1, 2]
    aws.cfn.rollback_stack(StackName=stack)
    assert aws.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert [one["Value"] for one in aws.things.standing.values()] == [1, 1]


def test_deleting_a_stack_under_creation_ends_the_creation(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Gate="held") + thing("B", ", DependsOn: A")
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "A")
    aws.cfn.delete_stack(StackName=stack)
    aws.things.gate("held").set()
    aws.settle(stack)
    aws.until(stack, "DELETE_COMPLETE")
    assert aws.things.did("create") == ["A"]
    assert aws.things.standing == {}


def test_a_stack_that_rolled_back_cannot_be_updated(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing(Fail="create"))
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        aws.update(stack, "Resources:\n" + thing())


def test_stack_tags_reach_resources_and_a_new_tag_is_an_update(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing(), Tags=[{"Key": "Owner", "Value": "a"}])
    assert aws.update(stack, Tags=[{"Key": "Owner", "Value": "b"}]) == "UPDATE_COMPLETE"
    assert [one.tags["Owner"] for one in aws.things.requests] == ["a", "b"]


def test_a_changed_type_is_refused(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing())
    with pytest.raises(ClientError, match="Update of resource type is not permitted"):
        aws.update(stack, "Resources: {A: {Type: 'AWS::CloudFormation::WaitConditionHandle'}}")


def test_removed_resources_go_in_the_cleanup_dependants_first(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A") + thing("B", Value="!Ref A") + thing("C"))
    assert aws.update(stack, "Resources:\n" + thing("C")) == "UPDATE_COMPLETE"
    assert aws.things.did("delete") == ["B", "A"]
    assert list(aws.resources(stack)) == ["C"]


def test_independent_resources_are_created_at_the_same_time(aws: Bench) -> None:
    template = "Resources:\n" + "".join(thing(f"A{number}", Gate="together") for number in range(5))
    threading.Timer(0.3, aws.things.gate("together").set).start()
    stack = aws.create(template)
    assert aws.status(stack) == "CREATE_COMPLETE"
    assert aws.things.most == 5


def test_failed_events_can_be_asked_for_alone(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A") + thing("B", ", DependsOn: A", Fail="create"))
    found = aws.cfn.describe_events(StackName=stack, Filters={"FailedEvents": True})["OperationEvents"]
    assert [(one["LogicalResourceId"], one["EventType"]) for one in found] == [("B", "PROVISIONING_ERROR")]
    operation = found[0]["OperationId"]
    created, rolled_back = aws.stack(stack)["LastOperations"]
    assert created == {"OperationType": "CREATE_STACK", "OperationId": operation}
    assert rolled_back["OperationType"] == "ROLLBACK"
    undone = aws.cfn.describe_events(OperationId=rolled_back["OperationId"])["OperationEvents"]
    assert [one["ResourceStatus"] for one in undone if one["LogicalResourceId"] == "A"] == [
        "DELETE_COMPLETE",
        "DELETE_IN_PROGRESS",
    ]


def test_an_operation_that_is_not_there_is_named(aws: Bench) -> None:
    with pytest.raises(
        ClientError, match="EstimateTemplateCost is not part of the embedded AWS, which has no prices"
    ):
        aws.cfn.estimate_template_cost(TemplateBody="x")


def test_long_lists_come_in_pages_of_a_hundred(aws: Bench) -> None:
    prefix = aws.name("paged")
    output = "\nOutputs: {O: {Value: x, Export: {Name: !Ref 'AWS::StackName'}}}"
    made = [aws.create("Resources:\n" + thing() + output, f"{prefix}-{number}") for number in range(101)]
    for operation, key, name in (
        ("describe_stacks", "Stacks", "StackName"),
        ("list_stacks", "StackSummaries", "StackName"),
        ("list_exports", "Exports", "Name"),
    ):
        pages = [page[key] for page in aws.cfn.get_paginator(operation).paginate()]
        assert [len(page) for page in pages[:-1]] == [100] * (len(pages) - 1)
        ours = [one[name] for page in pages for one in page if one[name].startswith(prefix)]
        assert sorted(ours) == sorted(f"{prefix}-{number}" for number in range(101))
    for stack in made:
        aws.cfn.delete_stack(StackName=stack)


def test_long_histories_come_in_pages(aws: Bench) -> None:
    template = "Resources:\n" + "".join(thing(f"A{number}") for number in range(60))
    stack = aws.create(template)
    assert "NextToken" in aws.cfn.describe_stack_events(StackName=stack)
    assert len(aws.events(stack)) == 2 + 3 * 60
    assert aws.delete(stack) == "DELETE_COMPLETE"


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


def test_the_parameter_types_of_ec2_name_what_exists(aws: Bench) -> None:
    template = "Parameters: {Network: {Type: 'AWS::EC2::VPC::Id'}}\nResources:\n" + thing(
        Value="!Ref Network"
    )
    stack = aws.create(template, Parameters=[{"ParameterKey": "Network", "ParameterValue": "vpc-0123"}])
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    name = aws.stack(stack)["StackName"]
    said = "Parameter validation failed: parameter value vpc-0123 for parameter name Network does not exist."
    assert aws.reason(stack, name, "ROLLBACK_IN_PROGRESS") == f"{said} Rollback requested by user."
    network = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    stack = aws.create(template, Parameters=[{"ParameterKey": "Network", "ParameterValue": network}])
    assert aws.status(stack) == "CREATE_COMPLETE"


def test_a_services_refusal_is_the_reason(aws: Bench) -> None:
    subnet = (
        "Resources: {A: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: vpc-0123, CidrBlock: 10.0.0.0/24}}}"
    )
    stack = aws.create(subnet)
    reason = aws.reason(stack, "A", "CREATE_FAILED")
    assert reason.startswith('Resource handler returned message: "')
    assert "vpc-0123 does not exist" in reason and "(Service: Ec2, Status Code: 400" in reason
    assert reason.endswith("HandlerErrorCode: NotFound)")


def test_wait_conditions_wait(aws: Bench) -> None:
    template = """
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Ready: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: 10}}
"""
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "Ready")
    aws.cfn.signal_resource(StackName=stack, LogicalResourceId="Ready", UniqueId="u", Status="SUCCESS")
    assert aws.settle(stack) == "CREATE_COMPLETE"


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


def test_a_hidden_default_is_not_shown(aws: Bench) -> None:
    template = (
        "Parameters: {Word: {Type: String, NoEcho: true, Default: hidden-word}}\nResources:\n" + thing()
    )
    assert "hidden-word" not in str(aws.cfn.validate_template(TemplateBody=template))
