"""Roles, instance profiles and policies."""

from typing import Any

from aws_vpc.local.providers.call import attributes, call, gone_is_done, pick, property_names
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import (
    Properties,
    Provider,
    ResourceRequest,
    ResourceState,
    name,
    undone,
)

TARGETS = {"Roles": "role", "Groups": "group", "Users": "user"}  # property -> the word in operations
VERSIONS = 5  # that a managed policy may have


def find_role(client: Any, id: str) -> Description:
    """The role as IAM has it."""
    return dict(client.get_role(RoleName=id)["Role"])


def find_profile(client: Any, id: str) -> Description:
    """The instance profile as IAM has it."""
    return dict(client.get_instance_profile(InstanceProfileName=id)["InstanceProfile"])


ROLE = Kind("iam", "create_role", find_role, "delete_role", "RoleName", "RoleName", update="update_role")
PROFILE = Kind(
    "iam",
    "create_instance_profile",
    find_profile,
    "delete_instance_profile",
    "InstanceProfileName",
    "InstanceProfileName",
    maximum=128,
    tagged=False,
)


def inline(properties: Properties | None) -> dict[str, Any]:
    """The inline policies of a role by name."""
    return {
        entry["PolicyName"]: entry["PolicyDocument"] for entry in (properties or {}).get("Policies") or []
    }


def settle_role(request: ResourceRequest, id: str) -> None:
    """Nothing; trust, boundary, inline and managed policies of the role are as stated."""
    client = request.client("iam")
    if request.previous and request.changed("AssumeRolePolicyDocument"):
        document = request.properties["AssumeRolePolicyDocument"]
        call(client, "update_assume_role_policy", {"RoleName": id, "PolicyDocument": document})
    if request.previous and request.changed("PermissionsBoundary"):
        if boundary := request.properties.get("PermissionsBoundary"):
            client.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=boundary)
        else:
            client.delete_role_permissions_boundary(RoleName=id)
    settle_inline(request, id)
    settle_managed(request, id)


def settle_inline(request: ResourceRequest, id: str) -> None:
    """Nothing; the role has exactly the inline policies stated."""
    client, before, after = request.client("iam"), inline(request.previous), inline(request.properties)
    for policy in before.keys() - after.keys():
        with gone_is_done():
            client.delete_role_policy(RoleName=id, PolicyName=policy)
    for policy, document in after.items():
        if before.get(policy) != document:
            call(
                client, "put_role_policy", {"RoleName": id, "PolicyName": policy, "PolicyDocument": document}
            )


def settle_managed(request: ResourceRequest, id: str) -> None:
    """Nothing; the managed policies stated are attached to the role."""
    client = request.client("iam")
    before = set((request.previous or {}).get("ManagedPolicyArns") or [])
    after = set(request.properties.get("ManagedPolicyArns") or [])
    for arn in sorted(before - after):
        with gone_is_done():
            client.detach_role_policy(RoleName=id, PolicyArn=arn)
    for arn in sorted(after - before):
        client.attach_role_policy(RoleName=id, PolicyArn=arn)


def clear_role(request: ResourceRequest, id: str) -> None:
    """Nothing; the policies that came with the role are off it."""
    client = request.client("iam")
    for policy in inline(request.properties):
        with gone_is_done():
            client.delete_role_policy(RoleName=id, PolicyName=policy)
    for arn in request.properties.get("ManagedPolicyArns") or []:
        with gone_is_done():
            client.detach_role_policy(RoleName=id, PolicyArn=arn)


def settle_profile(request: ResourceRequest, id: str) -> None:
    """Nothing; the instance profile holds the role stated."""
    client = request.client("iam")
    before = (request.previous or {}).get("Roles") or []
    after = request.properties.get("Roles") or []
    for role in [role for role in before if role not in after]:
        with gone_is_done():
            client.remove_role_from_instance_profile(InstanceProfileName=id, RoleName=role)
    for role in [role for role in after if role not in before]:
        client.add_role_to_instance_profile(InstanceProfileName=id, RoleName=role)


def clear_profile(request: ResourceRequest, id: str) -> None:
    """Nothing; the instance profile holds no role."""
    for role in find_profile(request.client("iam"), id)["Roles"]:
        request.client("iam").remove_role_from_instance_profile(
            InstanceProfileName=id, RoleName=role["RoleName"]
        )


def holders(properties: Properties | None) -> set[tuple[str, str]]:
    """The roles, groups and users of a policy, each with the word for it."""
    stated = properties or {}
    return {(word, who) for key, word in TARGETS.items() for who in stated.get(key) or []}


def holder(word: str, who: str) -> dict[str, str]:
    """The parameter that names a role, group or user."""
    return {f"{word.title()}Name": who}


def put_policy(request: ResourceRequest) -> ResourceState:
    """The inline policy, in each of its holders, and in none that it had before and lost."""
    client, stated = request.client("iam"), request.properties
    given = pick(stated, "PolicyName PolicyDocument")
    before = request.previous or {}
    renamed = request.previous is not None and request.changed("PolicyName")
    for word, who in holders(before) if renamed else holders(before) - holders(stated):
        remove_inline(request, before["PolicyName"], word, who)
    for word, who in sorted(holders(stated)):
        call(client, f"put_{word}_policy", {**holder(word, who), **given})
    id = request.physical_id or name(request, maximum=128)
    return ResourceState(id, {"Id": id})


def remove_inline(request: ResourceRequest, policy: str, word: str, who: str) -> None:
    """Nothing; the holder has no such inline policy."""
    with gone_is_done():
        call(request.client("iam"), f"delete_{word}_policy", {**holder(word, who), "PolicyName": policy})


def delete_policy(request: ResourceRequest) -> None:
    """Nothing; no holder has the inline policy."""
    for word, who in holders(request.properties):
        remove_inline(request, request.properties["PolicyName"], word, who)


def put_role_policy(request: ResourceRequest) -> ResourceState:
    """The one inline policy of one role."""
    given = pick(request.properties, "RoleName PolicyName PolicyDocument")
    call(request.client("iam"), "put_role_policy", given)
    return ResourceState(f"{given['PolicyName']}|{given['RoleName']}")


def delete_role_policy(request: ResourceRequest) -> None:
    """Nothing; the role has no such inline policy."""
    remove_inline(request, request.properties["PolicyName"], "role", request.properties["RoleName"])


def create_managed(request: ResourceRequest) -> ResourceState:
    """The new managed policy, attached to its holders."""
    given = pick(request.properties, "PolicyName=ManagedPolicyName PolicyDocument Description Path")
    given.setdefault("PolicyName", name(request, maximum=128))
    arn = call(request.client("iam"), "create_policy", given)["Policy"]["Arn"]
    with undone(request, arn, delete_managed):
        attach(request, arn)
        return managed_state(request, arn)


def managed_state(request: ResourceRequest, arn: str) -> ResourceState:
    """The managed policy's ARN and what IAM says of it."""
    found = request.client("iam").get_policy(PolicyArn=arn)["Policy"]
    times = {key: found[key].isoformat() for key in ("CreateDate", "UpdateDate")}
    more = {"PolicyArn": arn, "PermissionsBoundaryUsageCount": "0", **times}
    return ResourceState(arn, attributes(request.type, found, **more))


def attach(request: ResourceRequest, arn: str) -> None:
    """Nothing; the managed policy is attached to exactly the holders stated."""
    client, before, after = request.client("iam"), holders(request.previous), holders(request.properties)
    for word, who in sorted(before - after):
        with gone_is_done():
            call(client, f"detach_{word}_policy", {**holder(word, who), "PolicyArn": arn})
    for word, who in sorted(after - before):
        call(client, f"attach_{word}_policy", {**holder(word, who), "PolicyArn": arn})


def update_managed(request: ResourceRequest) -> ResourceState:
    """The managed policy with its new default version; the oldest makes room when there are five."""
    client, arn = request.client("iam"), request.id
    if request.changed("PolicyDocument"):
        versions = client.list_policy_versions(PolicyArn=arn)["Versions"]
        spare = sorted(
            (entry["CreateDate"], entry["VersionId"]) for entry in versions if not entry["IsDefaultVersion"]
        )
        if len(versions) >= VERSIONS:
            client.delete_policy_version(PolicyArn=arn, VersionId=spare[0][1])
        document = request.properties["PolicyDocument"]
        given = {"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": True}
        call(client, "create_policy_version", given)
    attach(request, arn)
    return managed_state(request, arn)


def delete_managed(request: ResourceRequest) -> None:
    """Nothing; the managed policy is detached and gone with all its versions."""
    client, arn = request.client("iam"), request.id
    with gone_is_done():
        for word, who in sorted(holders(request.properties)):
            with gone_is_done():
                call(client, f"detach_{word}_policy", {**holder(word, who), "PolicyArn": arn})
        for entry in client.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not entry["IsDefaultVersion"]:
                client.delete_policy_version(PolicyArn=arn, VersionId=entry["VersionId"])
        client.delete_policy(PolicyArn=arn)


def create_linked(request: ResourceRequest) -> ResourceState:
    """The new service-linked role."""
    given = pick(request.properties, "AWSServiceName CustomSuffix Description")
    made = call(request.client("iam"), "create_service_linked_role", given)["Role"]
    return ResourceState(made["RoleName"], {"RoleName": made["RoleName"]})


def update_linked(request: ResourceRequest) -> ResourceState:
    """The service-linked role with its new description."""
    given = {"RoleName": request.id, "Description": request.properties.get("Description", "")}
    request.client("iam").update_role(**given)
    return ResourceState(request.id, request.attributes)


def delete_linked(request: ResourceRequest) -> None:
    """Nothing; the service-linked role is gone."""
    with gone_is_done():
        request.client("iam").delete_service_linked_role(RoleName=request.id)


PROVIDERS = (
    resource(
        "AWS::IAM::Role",
        ROLE,
        "RoleName AssumeRolePolicyDocument Description MaxSessionDuration Path PermissionsBoundary",
        "Description MaxSessionDuration",
        set_later="Policies ManagedPolicyArns",
        settle=settle_role,
        clear=clear_role,
    ),
    resource(
        "AWS::IAM::InstanceProfile",
        PROFILE,
        "InstanceProfileName Path",
        set_later="Roles",
        settle=settle_profile,
        clear=clear_profile,
    ),
    Provider(
        "AWS::IAM::Policy",
        property_names("PolicyName PolicyDocument Roles Groups Users"),
        put_policy,
        delete_policy,
        put_policy,
    ),
    Provider(
        "AWS::IAM::RolePolicy",
        property_names("RoleName PolicyName PolicyDocument"),
        put_role_policy,
        delete_role_policy,
        put_role_policy,
    ),
    Provider(
        "AWS::IAM::ManagedPolicy",
        property_names("ManagedPolicyName PolicyDocument Description Path Roles Groups Users"),
        create_managed,
        delete_managed,
        update_managed,
    ),
    Provider(
        "AWS::IAM::ServiceLinkedRole",
        property_names("AWSServiceName CustomSuffix Description"),
        create_linked,
        delete_linked,
        update_linked,
    ),
)
