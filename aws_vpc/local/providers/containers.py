"""ECR repositories and ECS clusters."""

from dataclasses import replace
from typing import Any

from aws_vpc.local.providers.call import call, gone_is_done, pick, truth
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import ResourceRequest


def find_repository(client: Any, id: str) -> Description:
    """The repository as ECR has it."""
    return dict(client.describe_repositories(repositoryNames=[id])["repositories"][0])


REPOSITORY = Kind(
    "ecr",
    "create_repository",
    find_repository,
    "delete_repository",
    "repositoryName",
    "RepositoryName",
    maximum=256,
    lower=True,
    arn="repositoryArn",
)


def settle_repository(request: ResourceRequest, id: str) -> None:
    """Nothing; scanning, mutability and policies of the repository are as stated."""
    client, stated, named = request.client("ecr"), request.properties, {"RepositoryName": id}
    if request.previous and request.changed("ImageScanningConfiguration"):
        scanning = stated.get("ImageScanningConfiguration", {"ScanOnPush": False})
        call(client, "put_image_scanning_configuration", {**named, "ImageScanningConfiguration": scanning})
    if request.previous and request.changed("ImageTagMutability"):
        mutability = stated.get("ImageTagMutability", "MUTABLE")
        call(client, "put_image_tag_mutability", {**named, "ImageTagMutability": mutability})
    if request.changed("LifecyclePolicy"):
        policy = (stated.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
        put_or_delete(client, named, "lifecycle_policy", "LifecyclePolicyText", policy)
    if request.changed("RepositoryPolicyText"):
        put_or_delete(client, named, "repository_policy", "PolicyText", stated.get("RepositoryPolicyText"))


def put_or_delete(client: Any, named: Description, noun: str, key: str, value: Any) -> None:
    """Nothing; the repository has the policy, or none."""
    if value is None:
        with gone_is_done():
            call(client, f"delete_{noun}", named)
    else:
        verb = "set" if noun == "repository_policy" else "put"
        call(client, f"{verb}_{noun}", {**named, key: value})


def delete_repository(request: ResourceRequest) -> None:
    """Nothing; the repository is gone, with its images where EmptyOnDelete says so."""
    force = truth(request.properties.get("EmptyOnDelete", False))
    with gone_is_done():
        request.client("ecr").delete_repository(repositoryName=request.id, force=force)


def find_cluster(client: Any, id: str) -> Description | None:
    """The cluster as ECS has it; None when it is deleted."""
    found = client.describe_clusters(clusters=[id])["clusters"]
    return next((dict(entry) for entry in found if entry["status"] == "ACTIVE"), None)


CLUSTER = Kind(
    "ecs",
    "create_cluster",
    find_cluster,
    "delete_cluster",
    "clusterName",
    "ClusterName",
    maximum=255,
    arn="clusterArn",
)
CLUSTER_SETTINGS = "settings=ClusterSettings Configuration ServiceConnectDefaults"
CAPACITY = "CapacityProviders DefaultCapacityProviderStrategy"


def settle_cluster(request: ResourceRequest, id: str) -> None:
    """Nothing; settings and capacity providers of the cluster are as stated."""
    client, stated = request.client("ecs"), request.properties
    if request.previous and request.changed("ClusterSettings", "Configuration", "ServiceConnectDefaults"):
        call(client, "update_cluster", {"cluster": id, **pick(stated, CLUSTER_SETTINGS)})
    if request.previous and request.changed(*CAPACITY.split()):
        given: Description = {key: stated.get(key) or [] for key in CAPACITY.split()}
        call(client, "put_cluster_capacity_providers", {"cluster": id, **given})


def delete_cluster(request: ResourceRequest) -> None:
    """Nothing; the cluster is gone."""
    with gone_is_done():
        request.client("ecs").delete_cluster(cluster=request.id)


PROVIDERS = (
    replace(
        resource(
            "AWS::ECR::Repository",
            REPOSITORY,
            "RepositoryName ImageScanningConfiguration ImageTagMutability EncryptionConfiguration",
            set_later="LifecyclePolicy RepositoryPolicyText EmptyOnDelete",
            settle=settle_repository,
            more=lambda request, found: {"Arn": found["repositoryArn"]},
        ),
        delete_resource=delete_repository,
    ),
    replace(
        resource(
            "AWS::ECS::Cluster",
            CLUSTER,
            f"ClusterName {CLUSTER_SETTINGS} {CAPACITY}",
            settle=settle_cluster,
            more=lambda request, found: {"Arn": found["clusterArn"]},
        ),
        delete_resource=delete_cluster,
    ),
)
