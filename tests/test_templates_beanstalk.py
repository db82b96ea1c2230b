"""What is asked of the environment of Elastic Beanstalk."""

from __future__ import annotations

import pytest
from workload_bench import CERTIFICATE, put_out, settings, standing

from aws_vpc.errors import TemplateError


def test_an_environment_has_enhanced_health_managed_updates_and_streamed_logs() -> None:
    found = settings()
    assert found["aws:elasticbeanstalk:healthreporting:system"]["SystemType"] == "enhanced"
    assert found["aws:elasticbeanstalk:managedactions"]["ManagedActionsEnabled"] == "true"
    assert found["aws:elasticbeanstalk:cloudwatch:logs"]["StreamLogs"] == "true"
    assert found["aws:elasticbeanstalk:command"]["DeploymentPolicy"] == "Immutable"
    assert found["aws:autoscaling:launchconfiguration"]["DisableIMDSv1"] == "true"


def test_no_option_is_stated_twice_and_none_of_a_balancer_without_one() -> None:
    options = standing("elastic-beanstalk", BeanstalkType="LoadBalanced", CertificateArn=CERTIFICATE)
    stated = [(one["Namespace"], one["OptionName"]) for one in options["WebEnvironment"]["OptionSettings"]]
    assert len(stated) == len(set(stated))
    assert not [namespace for namespace in settings() if "elbv2" in namespace]


def test_with_a_certificate_the_balancer_answers_https_only() -> None:
    given = {"BeanstalkType": "LoadBalanced", "CertificateArn": CERTIFICATE}
    found = settings(**given)
    assert found["aws:elbv2:listener:default"] == {"ListenerEnabled": "false"}
    assert found["aws:elbv2:listener:443"]["Protocol"] == "HTTPS"
    assert found["aws:elasticbeanstalk:application:environment"]["WEB_TLS_AHEAD"] == "true"
    assert "WEB_TLS_AHEAD" not in settings()["aws:elasticbeanstalk:application:environment"]
    ingress = standing("elastic-beanstalk", **given)["LoadBalancerIngressFromClients"]
    assert (ingress["FromPort"], ingress["ToPort"]) == (443, 443)
    assert put_out("elastic-beanstalk", **given)["WebUrl"].startswith("https://")


def test_one_instance_has_no_certificate() -> None:
    with pytest.raises(TemplateError, match="BeanstalkType must be LoadBalanced"):
        standing("elastic-beanstalk", CertificateArn=CERTIFICATE)


@pytest.mark.parametrize("kind", ["SingleInstance", "LoadBalanced"])
def test_only_the_given_clients_reach_the_pages(kind: str) -> None:
    found = standing("elastic-beanstalk", BeanstalkType=kind, WebIngressCidr="203.0.113.7/32")
    addresses = {one["CidrIp"] for name, one in found.items() if "Ingress" in name and "CidrIp" in one}
    assert addresses == {"203.0.113.7/32"}


def test_clients_of_ipv6_reach_a_load_balancer_and_no_single_instance() -> None:
    given = {"EnableIpv6": "true", "WebIngressCidrIpv6": "2001:db8:7::/48"}
    alone = standing("elastic-beanstalk", **given)
    assert not [name for name, one in alone.items() if "CidrIpv6" in one]
    balanced = given | {"BeanstalkType": "LoadBalanced"}
    rule = standing("elastic-beanstalk", **balanced)["LoadBalancerIngressFromIpv6Clients"]
    assert (rule["CidrIpv6"], rule["FromPort"], rule["ToPort"]) == ("2001:db8:7::/48", 80, 80)
    assert settings(**balanced)["aws:elbv2:loadbalancer"]["IpAddressType"] == "dualstack"
    assert settings(BeanstalkType="LoadBalanced")["aws:elbv2:loadbalancer"]["IpAddressType"] == "ipv4"
