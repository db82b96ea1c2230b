"""Addresses, names, passwords and parameters: what is taken, what is refused, and in which words."""

import pytest

from aws_vpc import inputs
from aws_vpc.errors import UsageError

ADDRESSES = [
    ("203.0.113.77", "203.0.113.77/32", ""),
    ("203.0.113.77/32", "203.0.113.77/32", ""),
    ("203.0.113.0/24", "203.0.113.0/24", ""),
    ("203.0.113.77/24", "203.0.113.0/24", "means 203.0.113.0/24"),
    ("0.0.0.0/0", "0.0.0.0/0", "the whole internet"),
    ("10.1.2.3/8", "10.0.0.0/8", "means 10.0.0.0/8"),
]


@pytest.mark.parametrize(("given", "network", "remark"), ADDRESSES)
def test_an_address_becomes_a_network_and_cleared_bits_are_said(given, network, remark):
    found, said = inputs.web_ingress(given)
    assert found == network
    assert remark in said and bool(remark) is bool(said)


@pytest.mark.parametrize(
    ("given", "network", "remark"),
    [
        ("2001:DB8:0:7::1", "2001:db8:0:7::1/128", ""),
        ("2001:db8:0:7::/64", "2001:db8:0:7::/64", ""),
        ("2001:db8:0:7::1/64", "2001:db8:0:7::/64", "means 2001:db8:0:7::/64"),
        ("::/0", "::/0", "the whole internet"),
        ("", "", ""),
    ],
)
def test_an_address_of_ipv6_becomes_a_network_too(given, network, remark):
    found, said = inputs.web_ingress(given, 6)
    assert found == network
    assert remark in said and bool(remark) is bool(said)
    with pytest.raises(UsageError, match="give 2001:db8:0:7::/64"):
        inputs.web_ingress("10.0.0.0/8", 6)


@pytest.mark.parametrize(
    "given", ["", "me", "203.0.113.256", "203.0.113.0/33", "203.0.113.0/24/", "::1", "1.2.3"]
)
def test_what_is_no_address_is_refused_with_the_forms(given):
    with pytest.raises(UsageError, match=r"give a\.b\.c\.d/24, a\.b\.c\.d/32 or a\.b\.c\.d"):
        inputs.web_ingress(given)


@pytest.mark.parametrize("name", ["awsuser", "a", "web_1", "a" * 63])
def test_a_user_name_that_both_databases_take(name):
    assert inputs.username(name) == name


@pytest.mark.parametrize(
    "name", ["", "1a", "Admin", "a-b", "a" * 64, "admin", "user", "rdsadmin", "pg_me", "a b"]
)
def test_a_user_name_that_one_of_the_databases_refuses(name):
    with pytest.raises(UsageError, match="master user name"):
        inputs.username(name)


@pytest.mark.parametrize("password", ["Passw0rd", "x" * 62 + "A1", "Aa1!#$%^&*()"])
def test_a_password_that_both_databases_take(password):
    assert inputs.password(password) == password


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("Short1", "has 6 characters"),
        ("Aa1" + "x" * 62, "has 65 characters"),
        ("Passw0rd/", "not allowed"),
        ("Passw0rd@", "not allowed"),
        ('Passw0rd"', "not allowed"),
        ("Passw0rd'", "not allowed"),
        ("Passw0rd\\", "not allowed"),
        ("Pass w0rd", "not allowed"),
        ("Pässw0rd", "not allowed"),
        ("passw0rd", "an upper-case letter"),
        ("PASSW0RD", "a lower-case letter"),
        ("Password", "a digit"),
    ],
)
def test_a_password_is_refused_without_being_repeated(password, fault):
    with pytest.raises(UsageError) as caught:
        inputs.password(password)
    assert fault in str(caught.value)
    assert password not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "Nested-RDS-Redshift-EC2-VPC", "a" * 128])
def test_a_stack_name(name):
    assert inputs.stack_name(name) == name


@pytest.mark.parametrize("name", ["", "1a", "a_b", "a b", "a" * 129, "../x"])
def test_no_stack_name(name):
    with pytest.raises(UsageError, match="stack name"):
        inputs.stack_name(name)


@pytest.mark.parametrize("name", ["", "ab", "Bucket", "a.b.c", "-ab", "ab-", "a" * 64, "xn--bucket"])
def test_no_bucket_name(name):
    with pytest.raises(UsageError, match="bucket name"):
        inputs.bucket_name(name)


def test_the_last_assignment_of_a_name_counts_and_values_may_hold_equals_signs():
    assert inputs.assignments(["A=1", "B=x=y", "A=2", "C="]) == {"A": "2", "B": "x=y", "C": ""}


@pytest.mark.parametrize("pair", ["A", "=1", ""])
def test_an_assignment_without_name_or_equals_sign_is_refused(pair):
    with pytest.raises(UsageError, match="NAME=VALUE"):
        inputs.assignments([pair])


FILES = {
    "flat.yaml": "NatGateway: false\nWebPort: 8080\nSubnets: [a, b]\n",
    "flat.json": '{"NatGateway": false, "WebPort": 8080, "Subnets": ["a", "b"]}',
    "list.json": '[{"ParameterKey": "NatGateway", "ParameterValue": "false"},'
    ' {"ParameterKey": "WebPort", "ParameterValue": "8080"},'
    ' {"ParameterKey": "Subnets", "ParameterValue": "a,b"}]',
    "pairs.json": '["NatGateway=false", "WebPort=8080", "Subnets=a,b"]',
    "previous.json": '[{"ParameterKey": "NatGateway", "ParameterValue": "false"},'
    ' {"ParameterKey": "VpcCidr", "UsePreviousValue": true}, "WebPort=8080", "Subnets=a,b"]',
    "section.yaml": "Parameters:\n  NatGateway: 'false'\n  WebPort: 8080\n  Subnets: a,b\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_parameter_file_in_each_form_says_the_same(name, tmp_path):
    path = tmp_path / name
    path.write_text(FILES[name])
    assert inputs.parameter_file(path) == {"NatGateway": "false", "WebPort": "8080", "Subnets": "a,b"}


@pytest.mark.parametrize("text", ["[1, 2]", "just text", "A: {B: 1}", "A: [", "A:\n"])
def test_a_parameter_file_in_no_form_is_refused_in_one_line(text, tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match="parameter file") as caught:
        inputs.parameter_file(path)
    assert "\n" not in str(caught.value)


def test_a_parameter_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        inputs.parameter_file(tmp_path / "none.yaml")


def test_an_unknown_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match=r"did you mean NatGateway\?"):
        inputs.check_known(["NatGatway"], ["NatGateway", "WebPort"], "root.yaml")
    with pytest.raises(UsageError, match="it has NatGateway, WebPort"):
        inputs.check_known(["Zzz"], ["NatGateway", "WebPort"], "root.yaml")
