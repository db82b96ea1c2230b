"""SNS topics and subscriptions, SQS queues, and the policies of both."""

import json
from typing import Any

from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, text
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import Properties, Provider, ResourceRequest, ResourceState, name

TOPIC_ATTRIBUTES = (
    "DisplayName KmsMasterKeyId SignatureVersion TracingConfig ContentBasedDeduplication ArchivePolicy "
    "FifoThroughputScope"
)
SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy SubscriptionRoleArn"
)
QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoThroughputLimit "
    "KmsDataKeyReusePeriodSeconds "
    "KmsMasterKeyId MaximumMessageSize MessageRetentionPeriod ReceiveMessageWaitTimeSeconds "
    "RedriveAllowPolicy "
    "RedrivePolicy SqsManagedSseEnabled VisibilityTimeout"
)
QUEUE_DEFAULTS = {  # what an attribute is when the template stops stating it
    "DelaySeconds": "0",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}


def topic_attributes(client: Any, id: str) -> Description:
    """The topic as SNS has it."""
    return dict(client.get_topic_attributes(TopicArn=id)["Attributes"])


TOPIC = Kind("sns", "create_topic", topic_attributes, "delete_topic", "TopicArn", answer="TopicArn")


def topic_shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters of create-topic: a name, and the rest as attributes."""
    fifo = text(request.properties.get("FifoTopic", False)) == "true"
    made = name(request, maximum=250) + (".fifo" if fifo else "")
    settings = pick(request.properties, TOPIC_ATTRIBUTES) | ({"FifoTopic": "true"} if fifo else {})
    return {"Name": given.get("TopicName", made), "Attributes": settings}


def subscriptions(properties: Properties | None) -> set[tuple[str, str]]:
    """The inline subscriptions of a topic: protocol and endpoint."""
    return {(entry["Protocol"], entry["Endpoint"]) for entry in (properties or {}).get("Subscription") or []}


def settle_topic(request: ResourceRequest, id: str) -> None:
    """Nothing; attributes and inline subscriptions of the topic are as stated."""
    client = request.client("sns")
    for key in TOPIC_ATTRIBUTES.split():
        if request.previous and request.changed(key):
            value = text(request.properties.get(key, ""))
            client.set_topic_attributes(TopicArn=id, AttributeName=key, AttributeValue=value)
    before, after = subscriptions(request.previous), subscriptions(request.properties)
    for protocol, endpoint in sorted(after - before):
        client.subscribe(TopicArn=id, Protocol=protocol, Endpoint=endpoint)
    for entry in client.list_subscriptions_by_topic(TopicArn=id)["Subscriptions"] if before - after else []:
        if (entry["Protocol"], entry["Endpoint"]) in before - after:
            client.unsubscribe(SubscriptionArn=entry["SubscriptionArn"])


def clear_topic(request: ResourceRequest, id: str) -> None:
    """Nothing; the topic has no subscriptions, as when SNS deletes it."""
    for entry in request.client("sns").list_subscriptions_by_topic(TopicArn=id)["Subscriptions"]:
        with gone_is_done():
            request.client("sns").unsubscribe(SubscriptionArn=entry["SubscriptionArn"])


def topic_names(request: ResourceRequest, found: Description) -> Description:
    """The topic's name, the last part of its ARN."""
    return {"TopicName": str(found["TopicArn"]).rsplit(":", 1)[-1]}


def own_policy(request: ResourceRequest, topic: str) -> str:
    """The policy that SNS gives a new topic: its owner may use it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes", "sns:SetTopicAttributes"],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": request.account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


def put_topic_policy(request: ResourceRequest) -> ResourceState:
    """The policy on each of its topics, and the default one on those that it left."""
    client, document = request.client("sns"), text(request.properties["PolicyDocument"])
    for topic in request.properties["Topics"]:
        client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    left = set((request.previous or {}).get("Topics") or []) - set(request.properties["Topics"])
    reset_topics(request, sorted(left))
    id = request.physical_id or name(request, maximum=128)
    return ResourceState(id, {"Id": id})


def reset_topics(request: ResourceRequest, topics: list[str]) -> None:
    """Nothing; the topics have the default policy again."""
    for topic in topics:
        with gone_is_done():
            request.client("sns").set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=own_policy(request, topic)
            )


def delete_topic_policy(request: ResourceRequest) -> None:
    """Nothing; the topics have the default policy again."""
    reset_topics(request, request.properties["Topics"])


def subscribe(request: ResourceRequest) -> ResourceState:
    """The new subscription."""
    settings = {key: text(value) for key, value in pick(request.properties, SUBSCRIPTION_ATTRIBUTES).items()}
    given = pick(request.properties, "TopicArn Protocol Endpoint")
    made = call(
        request.client("sns"),
        "subscribe",
        {**given, "Attributes": settings or None, "ReturnSubscriptionArn": True},
    )
    return ResourceState(made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]})


def resubscribe(request: ResourceRequest) -> ResourceState:
    """The subscription with its changed attributes."""
    for key in SUBSCRIPTION_ATTRIBUTES.split():
        if request.changed(key):
            value = text(request.properties.get(key, ""))
            request.client("sns").set_subscription_attributes(
                SubscriptionArn=request.id, AttributeName=key, AttributeValue=value
            )
    return ResourceState(request.id, request.attributes)


def unsubscribe(request: ResourceRequest) -> None:
    """Nothing; the subscription is gone."""
    with gone_is_done():
        request.client("sns").unsubscribe(SubscriptionArn=request.id)


def queue_attributes(client: Any, id: str) -> Description:
    """The queue as SQS has it."""
    return dict(client.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"])


QUEUE = Kind("sqs", "create_queue", queue_attributes, "delete_queue", "QueueUrl", answer="QueueUrl")


def queue_shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters of create-queue: a name, and the rest as attributes."""
    fifo = text(request.properties.get("FifoQueue", False)) == "true"
    made = name(request, maximum=75) + (".fifo" if fifo else "")
    settings = pick(request.properties, QUEUE_ATTRIBUTES) | ({"FifoQueue": "true"} if fifo else {})
    return {"QueueName": given.get("QueueName", made), "Attributes": settings}


def settle_queue(request: ResourceRequest, id: str) -> None:
    """Nothing; the attributes of the queue are as stated."""
    if request.previous is None:
        return
    changed = [key for key in QUEUE_ATTRIBUTES.split() if request.changed(key)]
    values = {key: request.properties.get(key, QUEUE_DEFAULTS.get(key, "")) for key in changed}
    if values:
        call(request.client("sqs"), "set_queue_attributes", {"QueueUrl": id, "Attributes": values})


def queue_names(request: ResourceRequest, found: Description) -> Description:
    """The queue's name, the last part of its ARN."""
    arn = str(found["QueueArn"])
    return {"Arn": arn, "QueueName": arn.rsplit(":", 1)[-1]}


def put_queue_policy(request: ResourceRequest) -> ResourceState:
    """The policy on each of its queues, and none on those that it left."""
    document = text(request.properties["PolicyDocument"])
    left = set((request.previous or {}).get("Queues") or []) - set(request.properties["Queues"])
    set_policy(request, request.properties["Queues"], document)
    with gone_is_done():
        set_policy(request, sorted(left), "")
    id = request.physical_id or name(request, maximum=128)
    return ResourceState(id, {"Id": id})


def set_policy(request: ResourceRequest, queues: list[str], document: str) -> None:
    """Nothing; the queues have the policy."""
    for queue in queues:
        request.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})


def delete_queue_policy(request: ResourceRequest) -> None:
    """Nothing; the queues have no policy."""
    for queue in request.properties["Queues"]:
        with gone_is_done():
            set_policy(request, [queue], "")


PROVIDERS = (
    resource(
        "AWS::SNS::Topic",
        TOPIC,
        "TopicName",
        set_later=f"{TOPIC_ATTRIBUTES} FifoTopic Subscription",
        shape=topic_shape,
        settle=settle_topic,
        clear=clear_topic,
        more=topic_names,
        ignored={
            "DataProtectionPolicy": "messages are not scanned",
            "DeliveryStatusLogging": "deliveries are not logged",
        },
    ),
    Provider(
        "AWS::SNS::TopicPolicy",
        property_names("PolicyDocument Topics"),
        put_topic_policy,
        delete_topic_policy,
        put_topic_policy,
    ),
    Provider(
        "AWS::SNS::Subscription",
        property_names(f"TopicArn Protocol Endpoint {SUBSCRIPTION_ATTRIBUTES}"),
        subscribe,
        unsubscribe,
        resubscribe,
        {"Region": "the embedded AWS is one Region", "ReplayPolicy": "messages are not archived"},
    ),
    resource(
        "AWS::SQS::Queue",
        QUEUE,
        "QueueName",
        set_later=f"{QUEUE_ATTRIBUTES} FifoQueue",
        shape=queue_shape,
        settle=settle_queue,
        more=queue_names,
    ),
    Provider(
        "AWS::SQS::QueuePolicy",
        property_names("PolicyDocument Queues"),
        put_queue_policy,
        delete_queue_policy,
        put_queue_policy,
    ),
)
