"""Topics, queues, alarms, load balancers: each is made, seen, changed in place and deleted twice."""

import json
from typing import Any

import pytest
from providers_bench import ACCOUNT, REGION, Bench, Case, prove
from providers_makers import policy


def topic(bench: Bench) -> str:
    """An SNS topic."""
    return bench.make("AWS::SNS::Topic").ref


def queue_policy(bench: Bench, url: str) -> Any:
    """The policy of the queue; empty without one."""
    found = bench.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    return found.get("Policy")


def balancer(bench: Bench) -> str:
    """A load balancer."""
    return bench.make("AWS::ElasticLoadBalancingV2::LoadBalancer", Subnets=bench.subnets).ref


def answer(status: int) -> list[dict[str, Any]]:
    """The action that answers with the status."""
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status)}}]


CASES = [
    Case(
        "AWS::SNS::Topic",
        lambda b: {
            "DisplayName": "alarms",
            "Subscription": [{"Protocol": "email", "Endpoint": "a@example.com"}],
        },
        lambda b, made: b.sns.get_topic_attributes(TopicArn=made.ref)["Attributes"],
        lambda b, found: found["DisplayName"] == "alarms" and found["SubscriptionsPending"] != "2",
        lambda b: {"DisplayName": "Alarms", "Subscription": []},
        lambda b, found: (
            found["DisplayName"] == "Alarms"
            and not b.sns.list_subscriptions_by_topic(TopicArn=found["TopicArn"])["Subscriptions"]
        ),
    ),
    Case(
        "AWS::SNS::TopicPolicy",
        lambda b: {"PolicyDocument": policy("sns:Publish") | {"Id": "ours"}, "Topics": [topic(b)]},
        lambda b, made: [
            one
            for one in made.request.properties["Topics"]
            if "ours" in b.sns.get_topic_attributes(TopicArn=one)["Attributes"]["Policy"]
        ],
        change=lambda b: {"Topics": [topic(b)]},
    ),
    Case(
        "AWS::SNS::Subscription",
        lambda b: {"TopicArn": topic(b), "Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"},
        lambda b, made: b.sns.get_subscription_attributes(SubscriptionArn=made.ref)["Attributes"],
        lambda b, found: found["RawMessageDelivery"] == "false",
        lambda b: {"RawMessageDelivery": True, "FilterPolicy": {"kind": ["a"]}},
        lambda b, found: (
            found["RawMessageDelivery"] == "true" and json.loads(found["FilterPolicy"]) == {"kind": ["a"]}
        ),
    ),
    Case(
        "AWS::SQS::Queue",
        lambda b: {"VisibilityTimeout": "60"},
        lambda b, made: b.sqs.get_queue_attributes(QueueUrl=made.ref, AttributeNames=["All"])["Attributes"],
        lambda b, found: found["VisibilityTimeout"] == "60",
        lambda b: {"VisibilityTimeout": None, "DelaySeconds": 5},
        lambda b, found: found["VisibilityTimeout"] == "30" and found["DelaySeconds"] == "5",
        lacks="QueueUrl",
    ),
    Case(
        "AWS::SQS::QueuePolicy",
        lambda b: {"Queues": [b.make("AWS::SQS::Queue").ref], "PolicyDocument": policy("sqs:SendMessage")},
        lambda b, made: queue_policy(b, made.request.properties["Queues"][0]),
        lambda b, found: "SendMessage" in found,
        lambda b: {"PolicyDocument": policy("sqs:*")},
        lambda b, found: "sqs:*" in found,
    ),
    Case(
        "AWS::SSM::Parameter",
        lambda b: {"Name": f"/{b.fresh()}/web", "Type": "String", "Value": "A=1"},
        lambda b, made: b.ssm.get_parameter(Name=made.ref)["Parameter"],
        lambda b, found: found["Value"] == "A=1",
        lambda b: {"Value": "A=2"},
        lambda b, found: found["Value"] == "A=2" and found["Version"] == 2,
    ),
    Case(
        "AWS::CloudWatch::Alarm",
        lambda b: {
            "Namespace": "AWS/RDS",
            "MetricName": "FreeStorageSpace",
            "Statistic": "Average",
            "Period": "300",
            "EvaluationPeriods": 2,
            "Threshold": "10.5",
            "ComparisonOperator": "LessThanThreshold",
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "one"}],
            "AlarmActions": [topic(b)],
        },
        lambda b, made: b.cloudwatch.describe_alarms(AlarmNames=[made.ref])["MetricAlarms"],
        lambda b, found: found[0]["Threshold"] == 10.5,
        lambda b: {"Threshold": 20},
        lambda b, found: found[0]["Threshold"] == 20,
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        lambda b: {"Subnets": b.subnets, "SecurityGroups": [b.group], "Scheme": "internal"},
        lambda b, made: b.elbv2.describe_load_balancers(LoadBalancerArns=[made.ref])["LoadBalancers"][0],
        lambda b, found: found["SecurityGroups"] == [b.group],
        lambda b: {"SecurityGroups": [b.other_group]},
        lambda b, found: found["SecurityGroups"] == [b.other_group],
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        lambda b: {"VpcId": b.vpc, "Port": "80", "Protocol": "HTTP", "TargetType": "instance"},
        lambda b, made: b.elbv2.describe_target_groups(TargetGroupArns=[made.ref])["TargetGroups"][0],
        lambda b, found: found["Port"] == 80,
        lambda b: {"HealthCheckPath": "/healthz", "Targets": [{"Id": b.instance}]},
        lambda b, found: (
            found["HealthCheckPath"] == "/healthz"
            and len(
                b.elbv2.describe_target_health(TargetGroupArn=found["TargetGroupArn"])[
                    "TargetHealthDescriptions"
                ]
            )
            == 1
        ),
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::Listener",
        lambda b: {
            "LoadBalancerArn": balancer(b),
            "Port": "80",
            "Protocol": "HTTP",
            "DefaultActions": answer(404),
        },
        lambda b, made: b.elbv2.describe_listeners(ListenerArns=[made.ref])["Listeners"][0],
        lambda b, found: found["Port"] == 80,
        lambda b: {"Port": "8080"},
        lambda b, found: found["Port"] == 8080,
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        lambda b: {
            "ListenerArn": b.make(
                "AWS::ElasticLoadBalancingV2::Listener",
                LoadBalancerArn=balancer(b),
                Port=80,
                Protocol="HTTP",
                DefaultActions=answer(404),
            ).ref,
            "Priority": "10",
            "Actions": answer(200),
            "Conditions": [{"Field": "path-pattern", "Values": ["/healthz"]}],
        },
        lambda b, made: b.elbv2.describe_rules(RuleArns=[made.ref])["Rules"][0],
        lambda b, found: found["Priority"] == "10",
        lambda b: {"Priority": 20},
        lambda b, found: found["Priority"] == "20",
        lacks="IsDefault",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(moto_bench: Bench, case: Case) -> None:
    prove(moto_bench, case)
