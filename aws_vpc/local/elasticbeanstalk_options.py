"""Option settings of Elastic Beanstalk: checked, laid over one another, and read by namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aws_vpc.local.wire import ServiceError

PROPERTIES = "aws:elasticbeanstalk:application:environment"
SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"
# The namespaces of the General Options page, and those of the Python platform.
NAMESPACES = {
    "aws:autoscaling:asg",
    "aws:autoscaling:launchconfiguration",
    "aws:autoscaling:scheduledaction",
    "aws:autoscaling:trigger",
    "aws:autoscaling:updatepolicy:rollingupdate",
    "aws:ec2:instances",
    "aws:ec2:vpc",
    "aws:elasticbeanstalk:application",
    PROPERTIES,
    SECRETS,
    "aws:elasticbeanstalk:cloudwatch:logs",
    "aws:elasticbeanstalk:cloudwatch:logs:health",
    "aws:elasticbeanstalk:command",
    "aws:elasticbeanstalk:container:python",
    "aws:elasticbeanstalk:control",
    "aws:elasticbeanstalk:environment",
    "aws:elasticbeanstalk:environment:proxy",
    "aws:elasticbeanstalk:environment:proxy:staticfiles",
    "aws:elasticbeanstalk:healthreporting:system",
    "aws:elasticbeanstalk:hostmanager",
    "aws:elasticbeanstalk:managedactions",
    "aws:elasticbeanstalk:managedactions:platformupdate",
    "aws:elasticbeanstalk:monitoring",
    "aws:elasticbeanstalk:sns:topics",
    "aws:elasticbeanstalk:sqsd",
    "aws:elasticbeanstalk:trafficsplitting",
    "aws:elasticbeanstalk:xray",
    "aws:elb:healthcheck",
    "aws:elb:listener",
    "aws:elb:loadbalancer",
    "aws:elb:policies",
    "aws:elbv2:loadbalancer",
    "aws:rds:dbinstance",
}
NUMBERED = (
    "aws:elasticbeanstalk:environment:process:",
    "aws:elb:listener:",
    "aws:elb:policies:",
    "aws:elbv2:listener:",
    "aws:elbv2:listenerrule:",
)

Option = dict[str, Any]
Key = tuple[str, str, str]


def key(option: Mapping[str, Any]) -> Key:
    """What makes an option the same option."""
    return str(option.get("Namespace")), str(option.get("OptionName")), str(option.get("ResourceName") or "")


def check(options: Iterable[Mapping[str, Any]]) -> None:
    """Raise ServiceError for an option in a namespace that Elastic Beanstalk has not."""
    for option in options:
        namespace, name, _ = key(option)
        if namespace not in NAMESPACES and not namespace.startswith(NUMBERED):
            text = (
                f"Invalid option specification (Namespace: '{namespace}', OptionName: '{name}'): "
                "Unknown configuration setting."
            )
            raise ServiceError("ConfigurationValidationException", text)


def over(
    before: Sequence[Option], fresh: Sequence[Option], removed: Sequence[Mapping[str, Any]] = ()
) -> list[Option]:
    """The options before without the removed ones, and the fresh ones over them."""
    check(fresh)
    gone = {key(option) for option in removed}
    found = {key(option): option for option in before if key(option) not in gone}
    found |= {key(option): option for option in fresh}
    return sorted(found.values(), key=key)


def value(options: Iterable[Mapping[str, Any]], namespace: str, name: str, default: str = "") -> str:
    """The value of one option."""
    for option in options:
        if key(option)[:2] == (namespace, name):
            return str(option.get("Value", default))
    return default


def values(options: Iterable[Mapping[str, Any]], namespace: str) -> dict[str, str]:
    """The values of a namespace by option name."""
    return {
        str(option["OptionName"]): str(option.get("Value", ""))
        for option in options
        if option.get("Namespace") == namespace
    }
