# ruff: noqa: E501 - AWS's messages stand in one piece
"""CloudFormation's rules as AWS documents them: refusals, parameters, references, tokens, pages."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloudformation_bench import Bench, as_new, running_bench, thing

running = pytest.fixture(running_bench, scope="module")
aws = pytest.fixture(as_new)


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


def test_a_changed_type_is_refused(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing())
    with pytest.raises(ClientError, match="Update of resource type is not permitted"):
        aws.update(stack, "Resources: {A: {Type: 'AWS::CloudFormation::WaitConditionHandle'}}")


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


def test_a_hidden_default_is_not_shown(aws: Bench) -> None:
    template = (
        "Parameters: {Word: {Type: String, NoEcho: true, Default: hidden-word}}\nResources:\n" + thing()
    )
    assert "hidden-word" not in str(aws.cfn.validate_template(TemplateBody=template))
