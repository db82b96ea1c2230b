"""Batch compute environments, job queues and job definitions."""

from collections.abc import Callable
from typing import Any

from aws_vpc.local.providers.call import (
    attributes,
    call,
    gone_is_done,
    pick,
    property_names,
    tag_list,
    tags,
    truth,
    wait,
)
from aws_vpc.local.providers.named import Description, Kind, look, resource
from aws_vpc.local.providers.resource import (
    NotUpdatable,
    Provider,
    ResourceFailed,
    ResourceRequest,
    ResourceState,
    name,
)
from aws_vpc.local.providers.schema import conditional_create_only
from aws_vpc.local.providers.tagging import retag

ENVIRONMENT_TYPE = "AWS::Batch::ComputeEnvironment"
DEFINITION_TYPE = "AWS::Batch::JobDefinition"
LINKED_SERVICE = "batch.amazonaws.com"  # whose role Batch takes when no ServiceRole is stated


def one(operation: str, key: str, parameter: str) -> Callable[[Any, str], Description | None]:
    """A description: the thing that the operation lists for the id, unless it is deleted."""

    def describe(client: Any, id: str) -> Description | None:
        found = getattr(client, operation)(**{parameter: [id]})[key]
        return dict(found[0]) if found and found[0]["status"] != "DELETED" else None

    return describe


ENVIRONMENT = Kind(
    "batch",
    "create_compute_environment",
    one("describe_compute_environments", "computeEnvironments", "computeEnvironments"),
    "delete_compute_environment",
    "computeEnvironment",
    answer="computeEnvironmentArn",
    update="update_compute_environment",
)
QUEUE = Kind(
    "batch",
    "create_job_queue",
    one("describe_job_queues", "jobQueues", "jobQueues"),
    "delete_job_queue",
    "jobQueue",
    answer="jobQueueArn",
    update="update_job_queue",
)


def valid(kind: Kind) -> Callable[[ResourceRequest, str], None]:
    """A wait until the thing is VALID; ResourceFailed with Batch's reason when it is INVALID."""

    def stable(request: ResourceRequest, id: str) -> None:
        def standing() -> Description | None:
            found = look(request, kind, id)
            return found if found and found["status"] in ("VALID", "INVALID") else None

        found = wait(standing, f"{request.type} {id}")
        if found["status"] == "INVALID":
            raise ResourceFailed(f"{id} is INVALID: {found.get('statusReason', 'no reason given')}")

    return stable


def disable(kind: Kind) -> Callable[[ResourceRequest, str], None]:
    """What Batch wants before a deletion: the thing is DISABLED."""

    def clear(request: ResourceRequest, id: str) -> None:
        call(request.client("batch"), kind.update, {kind.key: id, "state": "DISABLED"})
        valid(kind)(request, id)

    return clear


def service_role(request: ResourceRequest) -> str:
    """The ARN of Batch's service-linked role, which is made when the account has none yet."""
    client = request.client("iam")
    with gone_is_done("InvalidInput", "EntityAlreadyExists"):
        client.create_service_linked_role(AWSServiceName=LINKED_SERVICE)
    found = client.list_roles(PathPrefix=f"/aws-service-role/{LINKED_SERVICE}/")["Roles"]
    return str(found[0]["Arn"])


def environment_shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters: Batch's own role by default, and a replacement where Batch cannot update."""
    if request.previous is None:
        given.setdefault("ComputeEnvironmentName", name(request, maximum=128))
        given.setdefault("ServiceRole", service_role(request))
        return {**given, "Type": str(given["Type"]).upper()}
    if truth(request.properties.get("ReplaceComputeEnvironment", True)) and replaced(request):
        raise NotUpdatable(
            f"{', '.join(replaced(request))} of {request.id} change with a new environment only"
        )
    old = request.previous.get("ComputeResources") or {}
    resources = given.get("ComputeResources") or {}
    changed = {key: value for key, value in resources.items() if old.get(key) != value and key != "Type"}
    return {**given, "ComputeResources": changed or None}


def replaced(request: ResourceRequest) -> list[str]:
    """The changed properties of the compute resources that make Batch replace the environment."""
    old = (request.previous or {}).get("ComputeResources") or {}
    new = request.properties.get("ComputeResources") or {}
    paths = conditional_create_only(ENVIRONMENT_TYPE)
    keys = sorted(path.removeprefix("ComputeResources/") for path in paths)
    return [key for key in keys if old.get(key) != new.get(key)]


def queue_shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters: a name made up where none is stated, and the state that Batch assumes."""
    if request.previous is None:
        given.setdefault("JobQueueName", name(request, maximum=128))
        given.setdefault("State", "ENABLED")
    return given


DEFINITION = (
    "JobDefinitionName Type ContainerProperties NodeProperties EcsProperties EksProperties Parameters "
    "PlatformCapabilities PropagateTags RetryStrategy SchedulingPriority Timeout ConsumableResourceProperties"
)


def register(request: ResourceRequest) -> ResourceState:
    """The next revision of the job definition, under the name of the first where none is stated."""
    given = pick(request.properties, DEFINITION)
    before = str(request.attributes.get("JobDefinitionName") or name(request, maximum=128))
    given.setdefault("JobDefinitionName", before)
    if wanted := tag_list(tags(request)):
        given["Tags"] = wanted
    made = call(request.client("batch"), "register_job_definition", given)
    arn = made["jobDefinitionArn"]
    found = {"JobDefinitionArn": arn, "JobDefinitionName": made["jobDefinitionName"]}
    return ResourceState(arn, attributes(DEFINITION_TYPE, made, **found))


def revise(request: ResourceRequest) -> ResourceState:
    """The definition's next revision under a new id; the one before stays, for a rollback may need it."""
    if request.changed(*property_names(DEFINITION)):
        return register(request)
    retag(request, "batch", request.id)
    return ResourceState(request.id, request.attributes)


def deregister(request: ResourceRequest) -> None:
    """Nothing; the revision is inactive."""
    with gone_is_done():
        request.client("batch").deregister_job_definition(jobDefinition=request.id)


ENVIRONMENT_UPDATED = "ComputeResources Context ServiceRole State UnmanagedvCpus UpdatePolicy"
QUEUE_UPDATED = "ComputeEnvironmentOrder JobStateTimeLimitActions Priority SchedulingPolicyArn State"

PROVIDERS = (
    resource(
        ENVIRONMENT_TYPE,
        ENVIRONMENT,
        "ComputeEnvironmentName Type ComputeResources Context ServiceRole State UnmanagedvCpus "
        "EksConfiguration",
        ENVIRONMENT_UPDATED,
        set_later="ReplaceComputeEnvironment",
        shape=environment_shape,
        stable=valid(ENVIRONMENT),
        clear=disable(ENVIRONMENT),
        ignored={"EcsSettings": "no ECS cluster stands behind the environment"},
    ),
    resource(
        "AWS::Batch::JobQueue",
        QUEUE,
        f"JobQueueName JobQueueType {QUEUE_UPDATED}",
        QUEUE_UPDATED,
        shape=queue_shape,
        stable=valid(QUEUE),
        clear=disable(QUEUE),
    ),
    Provider(
        DEFINITION_TYPE,
        property_names(f"{DEFINITION} Tags"),
        register,
        deregister,
        revise,
        {"ResourceRetentionPolicy": "a revision leaves when CloudFormation cleans up"},
    ),
)
