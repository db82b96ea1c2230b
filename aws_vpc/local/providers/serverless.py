"""Redshift Serverless: namespaces and workgroups."""

from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.providers.call import absent, call, gone_is_done, pick, wait
from aws_vpc.local.providers.named import Description, Kind, look, resource
from aws_vpc.local.providers.resource import ResourceFailed, ResourceRequest

SERVICE = "redshift-serverless"
NAMESPACE_CHANGES = (
    "AdminPasswordSecretKmsKeyId AdminUserPassword AdminUsername DefaultIamRoleArn IamRoles KmsKeyId "
    "LogExports ManageAdminPassword"
)
WORKGROUP_CHANGES = (
    "BaseCapacity ConfigParameters EnhancedVpcRouting MaxCapacity Port PricePerformanceTarget "
    "PubliclyAccessible SecurityGroupIds SubnetIds TrackName"
)
TOGETHER = {"AdminUsername", "AdminUserPassword"}  # a change of one needs the other


def find(thing: str) -> Any:
    """The description of a namespace or workgroup, under its name as Fn::GetAtt has it, and its ARN."""

    def describe(client: Any, id: str) -> Description | None:
        found = dict(getattr(client, f"get_{thing}")(**{f"{thing}Name": id})[thing])
        found["creationDate"] = found["creationDate"].isoformat()
        return {thing: found, "Arn": found[f"{thing}Arn"]}

    return describe


NAMESPACE = Kind(
    SERVICE,
    "create_namespace",
    find("namespace"),
    "delete_namespace",
    "namespaceName",
    "NamespaceName",
    update="update_namespace",
    arn="Arn",
)
WORKGROUP = Kind(
    SERVICE,
    "create_workgroup",
    find("workgroup"),
    "delete_workgroup",
    "workgroupName",
    "WorkgroupName",
    update="update_workgroup",
    arn="Arn",
)


def only_changes(request: ResourceRequest, given: Description) -> Description:
    """The parameters of creation, or those of an update that change."""
    if request.previous is None:
        return given
    return {key: value for key, value in given.items() if request.changed(key)}


def namespace_shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters of both operations; the admin's name and password go together."""
    changed = only_changes(request, given)
    if request.previous is not None and TOGETHER & changed.keys():
        changed |= {key: given[key] for key in TOGETHER if key in given}
    if request.previous is not None and request.changed("LogExports", "IamRoles"):
        changed |= {key: request.properties.get(key) or [] for key in ("LogExports", "IamRoles")}
    return changed


def namespace_attributes(request: ResourceRequest, found: Description) -> Description:
    """The managed secret, which the provider's schema leaves out."""
    secret = found["namespace"].get("adminPasswordSecretArn")
    return {"Namespace__AdminPasswordSecretArn": secret} if secret else {}


def delete_namespace(request: ResourceRequest) -> None:
    """Nothing; the namespace is gone, its final snapshot stands when the template names one."""
    if look(request, NAMESPACE, request.id) is None:
        return
    final = pick(request.properties, "FinalSnapshotName FinalSnapshotRetentionPeriod")
    with gone_is_done():
        call(request.client(SERVICE), "delete_namespace", {"namespaceName": request.id, **final})


def ready(request: ResourceRequest, id: str) -> None:
    """Nothing; the workgroup is available. ResourceFailed when it never will be."""

    def available() -> bool | None:
        status = request.client(SERVICE).get_workgroup(workgroupName=id)["workgroup"]["status"]
        if status == "FAILED":
            raise ResourceFailed(f"Workgroup {id} could not be started; see the log redshift-serverless-*")
        return True if status == "AVAILABLE" else None

    wait(available, f"workgroup {id}")


def delete_workgroup(request: ResourceRequest) -> None:
    """Nothing; the workgroup is gone."""
    try:
        request.client(SERVICE).delete_workgroup(workgroupName=request.id)
    except ClientError as error:
        if not absent(error):
            raise


PROVIDERS = (
    replace(
        resource(
            "AWS::RedshiftServerless::Namespace",
            NAMESPACE,
            f"NamespaceName DbName {NAMESPACE_CHANGES}",
            NAMESPACE_CHANGES,
            set_later="FinalSnapshotName FinalSnapshotRetentionPeriod",
            shape=namespace_shape,
            more=namespace_attributes,
            ignored={
                "NamespaceResourcePolicy": "no other account asks for the namespace's data",
                "RedshiftIdcApplicationArn": "the embedded AWS has no IAM Identity Center",
                "SnapshotCopyConfigurations": "the embedded AWS is one Region",
            },
        ),
        delete_resource=delete_namespace,
    ),
    replace(
        resource(
            "AWS::RedshiftServerless::Workgroup",
            WORKGROUP,
            f"WorkgroupName NamespaceName {WORKGROUP_CHANGES}",
            WORKGROUP_CHANGES,
            shape=only_changes,
            stable=ready,
        ),
        delete_resource=delete_workgroup,
    ),
)
