"""S3 buckets and their policies."""

from collections.abc import Callable
from typing import Any

from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, tag_list, tags, truth
from aws_vpc.local.providers.named import Description
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, name, undone


def find_bucket(client: Any, id: str) -> Description:
    """Nothing but the proof that the bucket is there."""
    client.head_bucket(Bucket=id)
    return {"BucketName": id}


def encryption(stated: Any) -> Description:
    """The bucket's default encryption, whose members have other names in the API."""
    renamed = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    rules = [
        {renamed.get(key, key): value for key, value in rule.items()}
        for rule in stated["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def lifecycle(stated: Any) -> Description:
    """The lifecycle rules of the bucket."""
    given = {"LifecycleConfiguration": {"Rules": [lifecycle_rule(rule) for rule in stated["Rules"]]}}
    return given | pick(stated, "TransitionDefaultMinimumObjectSize")


def lifecycle_rule(stated: Any) -> Description:
    """One lifecycle rule: the API groups what the template states flat."""
    rule = pick(stated, "ID=Id Status AbortIncompleteMultipartUpload NoncurrentVersionExpiration")
    expiration = pick(stated, "Days=ExpirationInDays Date=ExpirationDate ExpiredObjectDeleteMarker")
    days = pick(stated, "NoncurrentDays=NoncurrentVersionExpirationInDays")
    moves = [*stated.get("Transitions", []), *filter(None, [stated.get("Transition")])]
    old_moves = stated.get("NoncurrentVersionTransitions") or []
    return {
        "Filter": lifecycle_filter(stated),
        **rule,
        **({"Expiration": expiration} if expiration else {}),
        **({"NoncurrentVersionExpiration": days} if days else {}),
        **({"Transitions": [transition(move) for move in moves]} if moves else {}),
        **({"NoncurrentVersionTransitions": [old(move) for move in old_moves]} if old_moves else {}),
    }


def lifecycle_filter(stated: Any) -> Description:
    """What a lifecycle rule applies to: a prefix, tags, sizes, or several of them."""
    single = {"Prefix": stated["Prefix"]} if stated.get("Prefix") else {}
    sizes = pick(stated, "ObjectSizeGreaterThan ObjectSizeLessThan")
    labels = stated.get("TagFilters") or []
    if len(single) + len(sizes) + len(labels) > 1:
        return {"And": {**single, **sizes, **({"Tags": labels} if labels else {})}}
    return {**single, **sizes, **({"Tag": labels[0]} if labels else {})} or {"Prefix": ""}


def transition(stated: Any) -> Description:
    """One move of objects to another storage class."""
    return pick(stated, "Days=TransitionInDays Date=TransitionDate StorageClass")


def old(stated: Any) -> Description:
    """One move of old versions to another storage class."""
    return pick(stated, "NoncurrentDays=TransitionInDays NewerNoncurrentVersions StorageClass")


DESTINATIONS = {"Topic": "TopicArn", "Queue": "QueueArn", "Function": "LambdaFunctionArn"}
CONFIGURATIONS = {
    "TopicConfigurations": "TopicConfigurations",
    "QueueConfigurations": "QueueConfigurations",
    "LambdaConfigurations": "LambdaFunctionConfigurations",
}


def notification(stated: Any) -> Description:
    """Where the bucket tells of its objects."""
    given: Description = {}
    for key, parameter in CONFIGURATIONS.items():
        if entries := stated.get(key):
            given[parameter] = [notified(entry) for entry in entries]
    bridge = stated.get("EventBridgeConfiguration")
    if bridge is not None and truth(bridge.get("EventBridgeEnabled", True)):
        given["EventBridgeConfiguration"] = {}
    return {"NotificationConfiguration": given}


def notified(entry: Any) -> Description:
    """One destination of notifications with its events and filter."""
    made: Description = {"Events": [entry["Event"]]}
    for key, parameter in DESTINATIONS.items():
        if key in entry:
            made[parameter] = entry[key]
    if rules := ((entry.get("Filter") or {}).get("S3Key") or {}).get("Rules"):
        made["Filter"] = {"Key": {"FilterRules": rules}}
    return made


def logging(stated: Any) -> Description:
    """Where the bucket logs access to it; nowhere without a target."""
    target = {
        "TargetBucket": stated.get("DestinationBucketName"),
        "TargetPrefix": stated.get("LogFilePrefix", ""),
    }
    return {"BucketLoggingStatus": {"LoggingEnabled": target} if target["TargetBucket"] else {}}


def cors(stated: Any) -> Description:
    """The bucket's rules for requests from other origins."""
    rules = [
        pick(
            rule,
            "ID=Id AllowedHeaders AllowedMethods AllowedOrigins ExposeHeaders=ExposedHeaders "
            "MaxAgeSeconds=MaxAge",
        )
        for rule in stated["CorsRules"]
    ]
    return {"CORSConfiguration": {"CORSRules": rules}}


def website(stated: Any) -> Description:
    """The bucket as a web site."""
    made = pick(stated, "RedirectAllRequestsTo RoutingRules")
    if "IndexDocument" in stated:
        made["IndexDocument"] = {"Suffix": stated["IndexDocument"]}
    if "ErrorDocument" in stated:
        made["ErrorDocument"] = {"Key": stated["ErrorDocument"]}
    return {"WebsiteConfiguration": made}


def under(key: str) -> Callable[[Any], Description]:
    """Parameters that are the property as it is, under the key."""
    return lambda stated: {key: stated}


def acl(stated: Any) -> Description:
    """The canned ACL, which the template writes in camel case."""
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in str(stated))
    return {"ACL": words.strip("-")}


Setting = tuple[
    str, Callable[[Any], Description], str
]  # operation, its parameters, the one that takes it back
SETTINGS: dict[str, Setting] = {
    "OwnershipControls": (
        "put_bucket_ownership_controls",
        under("OwnershipControls"),
        "delete_bucket_ownership_controls",
    ),
    "PublicAccessBlockConfiguration": (
        "put_public_access_block",
        under("PublicAccessBlockConfiguration"),
        "delete_public_access_block",
    ),
    "AccessControl": ("put_bucket_acl", acl, ""),
    "VersioningConfiguration": ("put_bucket_versioning", under("VersioningConfiguration"), ""),
    "BucketEncryption": ("put_bucket_encryption", encryption, "delete_bucket_encryption"),
    "LifecycleConfiguration": (
        "put_bucket_lifecycle_configuration",
        lifecycle,
        "delete_bucket_lifecycle",
    ),
    "NotificationConfiguration": ("put_bucket_notification_configuration", notification, ""),
    "LoggingConfiguration": ("put_bucket_logging", logging, ""),
    "CorsConfiguration": ("put_bucket_cors", cors, "delete_bucket_cors"),
    "WebsiteConfiguration": ("put_bucket_website", website, "delete_bucket_website"),
    "AccelerateConfiguration": (
        "put_bucket_accelerate_configuration",
        lambda stated: {"AccelerateConfiguration": {"Status": stated["AccelerationStatus"]}},
        "",
    ),
}
OFF: dict[str, Any] = {  # what a property without an operation to take it back becomes
    "AccessControl": "Private",
    "VersioningConfiguration": {"Status": "Suspended"},
    "NotificationConfiguration": {},
    "LoggingConfiguration": {},
    "AccelerateConfiguration": {"AccelerationStatus": "Suspended"},
}


def create_bucket(request: ResourceRequest) -> ResourceState:
    """The new bucket with all its settings."""
    client = request.client("s3")
    id = request.properties.get("BucketName") or name(request, maximum=63, lower=True)
    given: Description = {"Bucket": id}
    if request.region != "us-east-1":
        given["CreateBucketConfiguration"] = {"LocationConstraint": request.region}
    if truth(request.properties.get("ObjectLockEnabled", False)):
        given["ObjectLockEnabledForBucket"] = True
    call(client, "create_bucket", given)
    with undone(request, id, delete_bucket):
        settle_bucket(request, id)
    return bucket_state(request, id)


def settle_bucket(request: ResourceRequest, id: str) -> None:
    """Nothing; settings and tags of the bucket are as stated."""
    client = request.client("s3")
    for key, (put, shape, take_back) in SETTINGS.items():
        if not request.changed(key):
            continue
        stated = request.properties.get(key)
        if stated is None and take_back:
            call(client, take_back, {"Bucket": id})
        else:
            call(client, put, {"Bucket": id, **shape(OFF[key] if stated is None else stated)})
    if wanted := tag_list(tags(request)):
        client.put_bucket_tagging(Bucket=id, Tagging={"TagSet": wanted})
    elif request.previous is not None:
        client.delete_bucket_tagging(Bucket=id)


def update_bucket(request: ResourceRequest) -> ResourceState:
    """The bucket with its changed settings."""
    settle_bucket(request, request.id)
    return bucket_state(request, request.id)


def bucket_state(request: ResourceRequest, id: str) -> ResourceState:
    """The bucket's ARN and addresses."""
    made = {
        "Arn": f"arn:aws:s3:::{id}",
        "DomainName": f"{id}.s3.amazonaws.com",
        "RegionalDomainName": f"{id}.s3.{request.region}.amazonaws.com",
        "DualStackDomainName": f"{id}.s3.dualstack.{request.region}.amazonaws.com",
        "WebsiteURL": f"http://{id}.s3-website.{request.region}.amazonaws.com",
    }
    return ResourceState(id, made)


def delete_bucket(request: ResourceRequest) -> None:
    """Nothing; the bucket is gone. One with objects stays, and S3 says why."""
    with gone_is_done():
        request.client("s3").delete_bucket(Bucket=request.id)


def put_policy(request: ResourceRequest) -> ResourceState:
    """The bucket with its policy."""
    bucket = request.properties["Bucket"]
    call(
        request.client("s3"),
        "put_bucket_policy",
        {"Bucket": bucket, "Policy": request.properties["PolicyDocument"]},
    )
    return ResourceState(bucket)


def delete_policy(request: ResourceRequest) -> None:
    """Nothing; the bucket has no policy."""
    with gone_is_done():
        request.client("s3").delete_bucket_policy(Bucket=request.properties["Bucket"])


BUCKET = property_names(f"BucketName ObjectLockEnabled Tags {' '.join(SETTINGS)}")

PROVIDERS = (
    Provider("AWS::S3::Bucket", BUCKET, create_bucket, delete_bucket, update_bucket),
    Provider(
        "AWS::S3::BucketPolicy",
        property_names("Bucket PolicyDocument"),
        put_policy,
        delete_policy,
        put_policy,
    ),
)
