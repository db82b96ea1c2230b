"""Change sets: what is asked for, the fallback to the root alone, and what is left behind: nothing."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_vpc import change_set
from aws_vpc.change_set import Target, Terms
from aws_vpc.errors import DeployFailed
from aws_vpc.wait import Wait

NESTED = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/app-Nested/1"
FAILED = f"Nested change set {NESTED} was not successfully created: Currently in FAILED."
INNER = "Parameter 'Vpc' must be one of AllowedValues"


class Endpoint:
    """The edge of CloudFormation: answers for change sets, which it keeps a record of."""

    def __init__(self, *reasons: str, confirms: bool = False) -> None:
        self.reasons = list(reasons)  # of the change sets one after the other; empty where one can be made
        self.made: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.confirms = confirms

    def create_change_set(self, **request: Any) -> dict[str, str]:
        self.made.append(request)
        return {"Id": f"set-{len(self.made)}", "StackId": "stack-1"}

    def describe_change_set(self, ChangeSetName: str, **_: Any) -> dict[str, Any]:
        if ChangeSetName == NESTED:
            return {
                "Status": "FAILED",
                "StatusReason": INNER,
                "StackName": "app-Nested",
                "ChangeSetId": NESTED,
            }
        reason = self.reasons[int(ChangeSetName[4:]) - 1]
        config = {"DeploymentConfig": {"Mode": "EXPRESS"}} if self.confirms else {}
        status = {"Status": "FAILED", "StatusReason": reason} if reason else {"Status": "CREATE_COMPLETE"}
        return {"ChangeSetId": ChangeSetName, "Changes": [], **status, **config}

    def delete_change_set(self, ChangeSetName: str, **_: Any) -> None:
        self.deleted.append(ChangeSetName)

    def get_paginator(self, operation: str) -> "Endpoint":
        raise ClientError({"Error": {"Code": "InvalidAction", "Message": operation}}, operation)


def preview(endpoint: Endpoint, terms: Terms | None = None) -> change_set.ChangeSet:
    target = Target("stack-1", "app", "https://bucket/root.yaml", terms=terms or Terms())
    return change_set.preview(endpoint, target, Wait.seconds(5))


def test_where_a_nested_one_fails_the_root_s_alone_is_taken_and_the_reason_told():
    endpoint = Endpoint(FAILED, "")
    found = preview(endpoint)
    assert [one["IncludeNestedStacks"] for one in endpoint.made] == [True, False]
    assert (found.id, endpoint.deleted) == ("set-2", ["set-1"])
    assert f"nested change set of app-Nested: {INNER}" in found.notes[0]


def test_where_the_root_s_fails_too_its_reason_is_the_error_and_nothing_is_left():
    endpoint = Endpoint(FAILED, "Template error: no")
    with pytest.raises(DeployFailed, match="stack app could not be made: Template error: no"):
        preview(endpoint)
    assert endpoint.deleted == ["set-1", "set-2"]


def test_nothing_to_change_is_an_empty_one_and_nothing_is_left():
    endpoint = Endpoint("The submitted information didn't contain changes.")
    assert preview(endpoint).empty
    assert endpoint.deleted == ["set-1"]


@pytest.mark.parametrize(("confirms", "notes"), [(True, 0), (False, 1)])
def test_express_mode_is_asked_for_and_its_confirmation_looked_for(confirms, notes):
    endpoint = Endpoint("", confirms=confirms)
    found = preview(endpoint, Terms(express=True, rollback=False))
    assert endpoint.made[0]["DeploymentConfig"] == {"Mode": "EXPRESS", "DisableRollback": True}
    assert len(found.notes) == notes


def test_tags_and_role_are_passed_and_left_out_when_not_given():
    assert Terms().request() == {}
    assert Terms({"A": "1"}, "arn:aws:iam::123456789012:role/r").request() == {
        "Tags": [{"Key": "A", "Value": "1"}],
        "RoleARN": "arn:aws:iam::123456789012:role/r",
    }


def test_every_request_carries_a_token_of_its_own():
    endpoint = Endpoint(FAILED, "")
    preview(endpoint)
    assert len({one["ClientToken"] for one in endpoint.made}) == 2


def test_previous_values_are_kept_and_new_parameters_take_their_defaults():
    found = change_set.previous({"B": "2"}, ["A", "B", "C"], {"A": "1", "B": "1"})
    assert found == (
        {"ParameterKey": "A", "UsePreviousValue": True},
        {"ParameterKey": "B", "ParameterValue": "2"},
    )
