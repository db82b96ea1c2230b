"""What CloudFormation cannot set in a network: decided from answers, made once, checked, undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from embedded import Embedded, embedded_aws

from aws_vpc import network_settings, vpc_settings
from aws_vpc.errors import DeployFailed
from aws_vpc.network_settings import InsightsPath, Own

ALL = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [], "PrefixListIds": []}
OURS = Own("app", ("vpc-1", "vpc-2"), "i-1", "sg-d", 5432, "sg-w", 5439)


def group(
    name: str = "default", ingress: tuple[Any, ...] = (), egress: tuple[Any, ...] = (ALL,)
) -> dict[str, Any]:
    return {
        "GroupId": "sg-1",
        "VpcId": "vpc-1",
        "GroupName": name,
        "IpPermissions": list(ingress),
        "IpPermissionsEgress": list(egress),
    }


def test_only_default_groups_with_rules_are_emptied() -> None:
    (found,) = network_settings.emptyings([group(), group("web"), group(egress=())])
    assert (found.group, found.ingress) == ("sg-1", ())
    assert found.egress == ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},)


def side(owner: str = "111122223333", region: str = "eu-west-1", dns: bool = False) -> dict[str, Any]:
    return {"OwnerId": owner, "Region": region, "PeeringOptions": {network_settings.DNS: dns}}


@pytest.mark.parametrize(
    ("requester", "accepter", "status", "wanted"),
    [
        (side(), side(), "active", ("requester", "accepter")),
        (side(dns=True), side(), "active", ("accepter",)),
        (side(dns=True), side(dns=True), "active", None),
        (side(), side(), "pending-acceptance", None),
        (side(), side(owner="444455556666"), "active", ("requester",)),
        (side(dns=True), side(region="us-east-1"), "active", None),
    ],
)
def test_names_are_resolved_on_the_sides_that_are_ours(
    requester: Any, accepter: Any, status: str, wanted: tuple[str, ...] | None
) -> None:
    connection = {
        "VpcPeeringConnectionId": "pcx-1",
        "Status": {"Code": status},
        "RequesterVpcInfo": requester,
        "AccepterVpcInfo": accepter,
    }
    found = network_settings.resolutions([connection], "111122223333", "eu-west-1")
    assert [one.sides for one in found] == ([wanted] if wanted else [])


def interface(number: int, *groups: str) -> dict[str, Any]:
    return {"NetworkInterfaceId": f"eni-{number}", "Groups": [{"GroupId": one} for one in groups]}


def test_paths_lead_from_the_web_server_to_each_interface_of_the_databases() -> None:
    found = network_settings.wanted_paths(
        OURS, [interface(1, "sg-d"), interface(2, "sg-w"), interface(3, "sg-x")]
    )
    assert [one.ends for one in found] == [("i-1", "eni-1", 5432), ("i-1", "eni-2", 5439)]
    assert network_settings.path_sentences(OURS, found) == []


def test_paths_ask_for_the_ports_that_the_groups_admit() -> None:
    rules = [{"IpProtocol": "-1"}, {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}]
    listening = replace(OURS, database_port=40001, warehouse_port=40002)
    found = network_settings.admitted(listening, [{"GroupId": "sg-d", "IpPermissions": rules}])
    assert (found.database_port, found.warehouse_port) == (5432, 40002)


def test_a_path_that_cannot_be_is_told() -> None:
    (database,) = network_settings.wanted_paths(OURS, [interface(1, "sg-d")])
    (told,) = network_settings.path_sentences(OURS, [database])
    assert "no path to the warehouse" in told
    (told,) = network_settings.path_sentences(Own("app", ("vpc-1",), "", "sg-d", 5432), [])
    assert "no single web server" in told


def test_paths_are_made_once_and_go_when_their_end_does() -> None:
    old, new = InsightsPath("a", "i-1", "eni-0", 5432), InsightsPath("a", "i-1", "eni-1", 5432)
    assert network_settings.path_changes([new], {"nip-1": new}) == ([], [])
    assert network_settings.path_changes([new], {"nip-0": old}) == ([new], ["nip-0"])


def test_the_network_is_known_by_its_stacks_outputs() -> None:
    outputs = {
        "NestedVPCStack": {"Vpc": "vpc-1", "WarehouseVpc": "vpc-2", "DatabaseSecurityGroup": "sg-d"},
        "NestedRDSStack": {"DatabasePort": "5432"},
    }
    assert network_settings.own("app", outputs) == Own("app", ("vpc-1", "vpc-2"), "", "sg-d", 5432)
    assert network_settings.own("app", {"NestedRDSStack": {"DatabasePort": "5432"}}).vpcs == ()


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


@pytest.fixture
def network(aws: Embedded) -> Own:
    """Two peered VPCs, a web server in one, and an interface in the database's group."""
    ec2 = aws.client("ec2")
    first, second = (ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (50, 51))
    made = ec2.create_vpc_peering_connection(VpcId=first, PeerVpcId=second)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])
    subnet = ec2.create_subnet(VpcId=first, CidrBlock="10.50.1.0/24")["Subnet"]["SubnetId"]
    database = ec2.create_security_group(GroupName="database", Description="database", VpcId=first)["GroupId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[database])
    web = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    return Own("settings", (first, second), web, database, 5432)


def settle(aws: Embedded, network: Own) -> list[str]:
    account = aws.client("sts").get_caller_identity()["Account"]
    return vpc_settings.settle(aws.client("ec2"), network, account, aws.facts.region)


def test_settings_are_made_once_and_hold(aws: Embedded, network: Own) -> None:
    told = settle(aws, network)
    assert [line.split(" ")[0] for line in told] == ["default", "default", "peering"]
    assert settle(aws, network) == []
    groups = aws.client("ec2").describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": list(network.vpcs)},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    assert [one["IpPermissionsEgress"] + one["IpPermissions"] for one in groups] == [[], []]


def test_a_setting_that_does_not_hold_fails_with_its_name(
    aws: Embedded, network: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vpc_settings, "empty", lambda ec2, what: f"{what.group} emptied")
    monkeypatch.setattr(vpc_settings, "resolve", lambda ec2, what: f"{what.connection} resolves")
    wanted = r"default group sg-\w+ still has rules; .*pcx-\w+ lacks \w+; run the same command again"
    with pytest.raises(DeployFailed, match=wanted):
        settle(aws, network)


def test_what_comes_back_is_removed_again(aws: Embedded, network: Own) -> None:
    settle(aws, network)
    (default,) = aws.client("ec2").describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [network.vpcs[0]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    source = [{"GroupId": default["GroupId"]}]
    aws.client("ec2").authorize_security_group_ingress(
        GroupId=default["GroupId"], IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": source}]
    )
    (told,) = settle(aws, network)
    assert default["GroupId"] in told and settle(aws, network) == []


def test_paths_to_the_database_are_made_once_and_undone(aws: Embedded, network: Own) -> None:
    ec2 = aws.client("ec2")
    (made,) = vpc_settings.settle_paths(ec2, network)
    assert "settings-web-to-database, TCP 5432" in made
    assert vpc_settings.settle_paths(ec2, network) == []
    assert len(vpc_settings.remove_paths(ec2, "settings")) == 1
    assert vpc_settings.remove_paths(ec2, "settings") == []


def test_the_region_s_list_of_s3_addresses_is_found(aws: Embedded) -> None:
    assert vpc_settings.prefix_list(aws.client("ec2"), aws.facts.region).startswith("pl-")
