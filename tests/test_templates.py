"""The templates keep the house's rules, and fit each other.

Each rule that searches for faults is also shown a template with that fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aws_vpc.template_parse import parse

FOLDER = Path(__file__).parent.parent / "templates"
FILES = sorted(FOLDER.glob("*.yaml"))
ROOT = FOLDER / "nested-stack.yaml"
SECTIONS = [
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
    "Resources", "Outputs",
]  # fmt: skip
RESOURCE_KEYS = [
    "Type", "Condition", "DependsOn", "CreationPolicy", "UpdatePolicy", "DeletionPolicy",
    "UpdateReplacePolicy", "Metadata", "Properties",
]  # fmt: skip
NARROW_TYPES = ("AWS::EC2::", "List<AWS::EC2::", "AWS::SSM::Parameter::Value<")
CONSTRAINTS = {"AllowedPattern", "AllowedValues", "MinValue", "MaxValue"}
STATEFUL = {
    "AWS::CloudFormation::Stack": "Retain",
    "AWS::S3::Bucket": "Retain",
    "AWS::RDS::DBInstance": "Snapshot",
    "AWS::Redshift::Cluster": "Snapshot",
}
NAMED = {
    "VPC", "Subnet", "InternetGateway", "RouteTable", "EIP", "NatGateway", "VPCPeeringConnection",
    "VPCEndpoint", "SecurityGroup", "Instance", "NetworkAcl", "FlowLog", "NetworkInsightsPath",
    "TransitGateway", "TransitGatewayAttachment", "TransitGatewayRouteTable", "EgressOnlyInternetGateway",
}  # fmt: skip
# What must not stand in a template: values that belong to one account, or to nobody but the service.
LITERALS = {
    "account": r"(?<![0-9.])[0-9]{12}(?![0-9])",
    "network": r"\b(?:vpc|subnet|sg|igw|nat|rtb|vpce|pcx|eni|eipalloc)-[0-9a-f]{8,17}\b",
    "image": r"\bami-[0-9a-f]{8,17}\b",
    "bucket": r"s3://[a-z0-9]|https?://[a-z0-9.-]+\.s3[.-][a-z0-9.-]*amazonaws",
    "key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
}
ANY_TEMPLATE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

# cloudformation-validate has no comment that silences it, so what is not taken from it is explained here.


@cache
def template(path: Path) -> dict[str, Any]:
    """The template as plain values."""
    found: dict[str, Any] = parse(path.read_text())
    return found


def walk(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside, with its path."""
    yield at, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from walk(inner, f"{at}/{key}")


def references(value: Any) -> set[str]:
    """The names that the value refers to, by Ref or Fn::Sub."""
    found = set()
    for at, inner in walk(value):
        if at.endswith("/Ref"):
            found.add(inner)
        elif at.endswith(("/Fn::Sub", "/Fn::Sub/0")):
            found |= set(re.findall(r"\$\{([A-Za-z0-9:]+)\}", inner)) if isinstance(inner, str) else set()
    return found


def outputs_read(value: Any) -> set[tuple[str, str]]:
    """The nested stacks' outputs that the value reads."""
    pairs = (inner for at, inner in walk(value) if at.endswith("/Fn::GetAtt"))
    return {(logical, attribute.removeprefix("Outputs.")) for logical, attribute in pairs}


def literal_faults(body: dict[str, Any]) -> list[str]:
    """Values that belong to one account, a password among them."""
    found = []
    for at, value in walk(body):
        if isinstance(value, (dict, list)) or at.endswith(("/ConstraintDescription", "/AllowedPattern")):
            continue
        found += [f"{at}: {kind}" for kind, shape in LITERALS.items() if re.search(shape, str(value))]
        if re.search(r"/(MasterUserPassword|SecretString|BucketName)$", at):
            found.append(f"{at}: {value} is written down")
    return found


WITHOUT_RESOURCES = (["ecr:GetAuthorizationToken"], ["batch:DescribeJobs"])


def wide_permissions(body: dict[str, Any]) -> list[str]:
    """Allowed actions with a wildcard, and allowed actions on everything that could be on less."""
    found = []
    for at, value in walk(body["Resources"]):
        if isinstance(value, dict) and value.get("Effect") == "Allow" and "Principal" not in value:
            actions = value["Action"] if isinstance(value["Action"], list) else [value["Action"]]
            found += [f"{at}: {action}" for action in actions if "*" in action]
            if value["Resource"] == "*" and actions not in WITHOUT_RESOURCES:
                found.append(f"{at}: on everything")
    return found


def open_ways_in(body: dict[str, Any]) -> list[str]:
    """Ingress rules with a literal address, in rules of their own or inside a group."""
    return [
        at
        for at, value in walk(body["Resources"])
        if isinstance(value, dict)
        and ("Ingress" in at or value.get("Type") == "AWS::EC2::SecurityGroupIngress")
        and any(isinstance(inner, str) and re.search(r"/CidrIp(v6)?$", place) for place, inner in walk(value))
    ]


def wiring_faults(root: dict[str, Any], children: dict[str, dict[str, Any]]) -> list[str]:
    """What the root passes and reads that a child does not take and give, and the other way round."""
    found = []
    for logical, child in children.items():
        passed = set(root["Resources"][logical]["Properties"]["Parameters"])
        taken = set(child["Parameters"])
        found += [f"{logical}: {name} is not passed" for name in sorted(taken - passed)]
        found += [f"{logical}: {name} is not taken" for name in sorted(passed - taken)]
    for logical, output in sorted(outputs_read({"R": root["Resources"], "O": root["Outputs"]})):
        if output not in children[logical]["Outputs"]:
            found.append(f"{logical}: {output} is not given")
    return found


def children_of(root: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The root's nested stacks by logical id, each with its template."""
    urls = {name: stack["Properties"]["TemplateURL"]["Fn::Sub"] for name, stack in root["Resources"].items()}
    return {name: template(FOLDER / url.removeprefix("${TemplateBaseUrl}/")) for name, url in urls.items()}


@ANY_TEMPLATE
def test_sections_stand_in_the_order_of_the_house(path: Path) -> None:
    assert list(template(path)) == [name for name in SECTIONS if name in template(path)]
    assert path.read_text().startswith("AWSTemplateFormatVersion: '2010-09-09'\n\nDescription: >-\n")
    assert re.sub(r"\s+", " ", template(path)["Description"]).endswith(".")


@ANY_TEMPLATE
def test_resource_keys_stand_in_the_order_of_the_house(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        assert list(resource) == [key for key in RESOURCE_KEYS if key in resource], logical
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", logical)


@ANY_TEMPLATE
def test_every_parameter_is_described_and_constrained(path: Path) -> None:
    for name, parameter in template(path)["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        if not parameter["Type"].startswith(NARROW_TYPES):
            assert parameter.keys() & CONSTRAINTS, name
        assert bool(parameter.keys() & CONSTRAINTS) == ("ConstraintDescription" in parameter), name


@ANY_TEMPLATE
def test_default_values_keep_their_own_constraints(path: Path) -> None:
    for name, parameter in template(path)["Parameters"].items():
        default = str(parameter.get("Default", ""))
        if "Default" in parameter:
            assert re.fullmatch(parameter.get("AllowedPattern", ".*"), default), name
            assert default in map(str, parameter.get("AllowedValues", [default])), name


@ANY_TEMPLATE
def test_every_parameter_is_used(path: Path) -> None:
    body = template(path)
    used = references({key: value for key, value in body.items() if key != "Parameters"})
    assert not body["Parameters"].keys() - used


@ANY_TEMPLATE
def test_every_parameter_is_grouped_once_in_its_order(path: Path) -> None:
    interface = template(path)["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert grouped == list(template(path)["Parameters"])
    assert set(interface.get("ParameterLabels", grouped)) == set(grouped)


@ANY_TEMPLATE
def test_every_output_is_described(path: Path) -> None:
    for name, output in template(path)["Outputs"].items():
        assert output["Description"], name
        assert "Export" not in output, name


@ANY_TEMPLATE
def test_no_value_of_one_account_is_written_down(path: Path) -> None:
    assert literal_faults(template(path)) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"RoleArn": "arn:aws:iam::123456789012:role/x"},
        {"VpcId": "vpc-0123456789abcdef0"},
        {"SubnetIds": ["subnet-0a1b2c3d"]},
        {"ImageId": "ami-0123456789abcdef0"},
        {"BucketName": "my-data"},
        {"Source": "s3://my-data/key"},
        {"TemplateURL": "https://my-data.s3.eu-central-1.amazonaws.com/x.yaml"},
        {"MasterUserPassword": "correct horse"},
        {"SecretString": '{"password": "correct horse"}'},
        {"Key": "AKIA" + "ABCDEFGHIJKLMNOP"},
    ],
    ids=lambda planted: next(iter(planted)),
)
def test_a_value_of_one_account_is_found(planted: dict[str, Any]) -> None:
    assert literal_faults({"Resources": {"Planted": {"Type": "X", "Properties": planted}}})


@ANY_TEMPLATE
def test_no_parameter_holds_a_secret(path: Path) -> None:
    for name, parameter in template(path)["Parameters"].items():
        assert "Password" not in name
        assert "NoEcho" not in parameter
        if "Secret" in name:
            assert re.search(":secretsmanager:|vpce-", parameter["AllowedPattern"])


@ANY_TEMPLATE
def test_what_holds_data_outlives_its_stack(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        policy = STATEFUL.get(resource["Type"], resource.get("DeletionPolicy"))
        assert resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == policy, logical


@ANY_TEMPLATE
def test_what_ec2_shows_is_named_after_the_environment(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        if resource["Type"].removeprefix("AWS::EC2::") in NAMED:
            tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
            assert tags["Name"]["Fn::Sub"].startswith("${EnvironmentName}-"), logical


def naming_faults(resources: dict[str, Any]) -> list[str]:
    """Logical ids not in Pascal case, whose letter is not the zone, or that hide what they join."""
    found = []
    for logical, resource in resources.items():
        properties = resource.get("Properties", {})
        if not re.fullmatch(r"([A-Z][a-z0-9]*)+", logical):
            found.append(f"{logical}: Pascal case")
        at = ("Fn::Select" in str(properties.get("AvailabilityZone", ""))) and properties["AvailabilityZone"]
        if at and logical[-1] != "ABC"[at["Fn::Select"][0]]:
            found.append(f"{logical}: the letter is the zone")
        kind = re.match(r"AWS::EC2::Subnet(RouteTable|NetworkAcl)Association", resource["Type"])
        if kind and not re.fullmatch(rf"\w+Subnet[ABC]{kind[1]}Association", logical):
            found.append(f"{logical}: an association joins its two ends")
        subnet = properties.get("SubnetId", {})
        if kind and "Ref" in subnet and not logical.startswith(subnet["Ref"]):
            found.append(f"{logical}: it begins with {subnet['Ref']}")
        if re.search(r"SecurityGroup(In|E)gress$", resource["Type"]) and not re.search(
            r"IngressFrom|EgressTo", logical
        ):
            found.append(f"{logical}: a rule tells its way and its other end")
    return found


@ANY_TEMPLATE
def test_logical_ids_tell_what_a_resource_is(path: Path) -> None:
    assert naming_faults(template(path)["Resources"]) == []


@pytest.mark.parametrize(
    ("logical", "resource"),
    [
        ("web_server", {"Type": "AWS::EC2::Instance"}),
        (
            "PublicSubnetB",
            {"Type": "AWS::EC2::Subnet", "Properties": {"AvailabilityZone": {"Fn::Select": [0, ""]}}},
        ),
        ("Association1", {"Type": "AWS::EC2::SubnetRouteTableAssociation"}),
        (
            "PublicSubnetARouteTableAssociation",
            {
                "Type": "AWS::EC2::SubnetRouteTableAssociation",
                "Properties": {"SubnetId": {"Ref": "DataSubnetA"}},
            },
        ),
        ("PortRule", {"Type": "AWS::EC2::SecurityGroupEgress"}),
    ],
)
def test_a_logical_id_that_tells_something_else_is_found(logical: str, resource: dict[str, Any]) -> None:
    assert len(naming_faults({logical: resource})) == 1


@ANY_TEMPLATE
def test_every_rule_of_a_security_group_is_described(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        if re.search(r"SecurityGroup(In|E)gress$", resource["Type"]):
            assert resource["Properties"]["Description"], logical
        for rule in resource.get("Properties", {}).get("SecurityGroupEgress", ()):
            assert rule["Description"], logical


@ANY_TEMPLATE
def test_nothing_is_open_to_a_literal_address(path: Path) -> None:
    assert open_ways_in(template(path)) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"FromPort": 22, "CidrIp": "0.0.0.0/0"}},
        {"Type": "X", "Properties": {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0"}]}},
        {"Type": "X", "Properties": {"SecurityGroupIngress": [{"CidrIpv6": "::/0"}]}},
    ],
)
def test_an_open_port_is_found(planted: dict[str, Any]) -> None:
    assert open_ways_in({"Resources": {"Planted": planted}})


@ANY_TEMPLATE
def test_no_role_may_do_more_than_named_actions_on_named_things(path: Path) -> None:
    assert wide_permissions(template(path)) == []


@pytest.mark.parametrize(
    ("action", "resource"), [("s3:*", "arn"), (["s3:Get*"], "arn"), ("s3:GetObject", "*")]
)
def test_a_wide_permission_is_found(action: Any, resource: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert len(wide_permissions({"Resources": {"Planted": {"Statement": [statement]}}})) == 1


def free_ways_out(body: dict[str, Any]) -> list[str]:
    """Groups that keep the rule EC2 gives them, and rules that let out more than one TCP port."""
    found = []
    for logical, resource in body["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            egress = properties.get("SecurityGroupEgress", ())
            if [rule.get("CidrIp") for rule in egress] != ["127.0.0.1/32"]:
                found.append(f"{logical}: lets out what it should not")
        elif resource["Type"] == "AWS::EC2::SecurityGroupEgress":
            ports = [properties[key] for key in ("IpProtocol", "FromPort", "ToPort")]
            found += [f"{logical}: more than one TCP port"] * (ports != ["tcp", ports[1], ports[1]])
    return found


@ANY_TEMPLATE
def test_no_group_lets_everything_out(path: Path) -> None:
    assert free_ways_out(template(path)) == []


@pytest.mark.parametrize(
    ("type", "properties"),
    [
        ("SecurityGroup", {}),
        ("SecurityGroup", {"SecurityGroupEgress": [{"CidrIp": "0.0.0.0/0"}]}),
        ("SecurityGroupEgress", {"IpProtocol": "-1", "FromPort": 1, "ToPort": 1}),
        ("SecurityGroupEgress", {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 9}),
    ],
)
def test_a_free_way_out_is_found(type: str, properties: dict[str, Any]) -> None:
    planted = {"Type": f"AWS::EC2::{type}", "Properties": properties}
    assert free_ways_out({"Resources": {"Planted": planted}})


def test_the_network_is_one_small_file_without_iam_that_needs_no_parameter() -> None:
    path = FOLDER / "vpc.yaml"
    assert path.stat().st_size < 51_200 - 2_000  # what a create-stack takes as text, with room for changes
    types = {resource["Type"] for resource in template(path)["Resources"].values()}
    assert {name.split("::")[1] for name in types} == {"EC2"}
    assert all("Default" in parameter for parameter in template(path)["Parameters"].values())


ENDPOINTS = ("S3GatewayEndpoint", "WarehouseS3GatewayEndpoint", "SecretsManagerEndpoint")


@pytest.mark.parametrize("logical", ENDPOINTS)
def test_an_endpoint_admits_the_same_inside_the_network_and_beside_it(logical: str) -> None:
    inside, beside = (template(FOLDER / name)["Resources"] for name in ("vpc.yaml", "endpoints.yaml"))
    policies = [one[logical]["Properties"]["PolicyDocument"] for one in (inside, beside)]
    assert policies[0] == policies[1]


def test_what_instances_fetch_and_signal_passes_the_endpoint_of_s3() -> None:
    """Elastic Beanstalk guide, endpoint policies; CloudFormation guide, VPC endpoints (wait conditions)."""
    endpoint = template(FOLDER / "endpoints.yaml")["Resources"]["S3GatewayEndpoint"]["Properties"]
    admitted = {
        (one["Action"], re.sub(r".*:::|-?\$\{AWS::Region\}.*", "", str(resource["Fn::Sub"])))
        for one in endpoint["PolicyDocument"]["Statement"]
        if "Condition" not in one
        for resource in ([one["Resource"]] if isinstance(one["Resource"], dict) else one["Resource"])
    }
    read = ["al2023-repos", "aws-codedeploy", "elasticbeanstalk", "elasticbeanstalk-env-resources"]
    read += ["elasticbeanstalk-platform-assets", "prod"]
    assert admitted == {
        *(("s3:GetObject", name) for name in read),
        ("s3:PutObject", "cloudformation-waitcondition"),
    }


def test_the_network_gives_what_the_root_can_take_instead() -> None:
    names = template(ROOT)["Parameters"]
    ids = {name for name in names if re.search("^(Warehouse)?Vpc$|Subnets$|Group$", name)}
    assert len(ids) == 10
    assert ids <= template(FOLDER / "vpc.yaml")["Outputs"].keys()


def test_the_root_holds_stacks_only() -> None:
    stacks = template(ROOT)["Resources"]
    names = ["VPC", "Interconnect", "NetworkAcls", "NatGateway", "Endpoints", "FlowLogs", "EC2", "RDS"]
    assert list(stacks)[:8] == [f"Nested{name}Stack" for name in names]
    for logical, stack in stacks.items():
        assert stack["Type"] == "AWS::CloudFormation::Stack"
        assert "DependsOn" not in stack, logical
        assert stack["Properties"]["Parameters"]["EnvironmentName"] == {"Ref": "AWS::StackName"}
        assert stack["Properties"]["Tags"] == [{"Key": "EnvironmentName", "Value": {"Ref": "AWS::StackName"}}]


def test_every_template_is_the_root_or_one_of_its_children() -> None:
    assert len(children_of(template(ROOT))) == len(FILES) - 1


def test_the_root_passes_what_its_children_take_and_reads_what_they_give() -> None:
    assert wiring_faults(template(ROOT), children_of(template(ROOT))) == []


def test_a_wrong_wire_is_found() -> None:
    stack = {"Properties": {"Parameters": {"Passed": "x"}}}
    read = {"Value": {"Fn::GetAtt": ["Child", "Outputs.Read"]}}
    root = {"Resources": {"Child": stack}, "Outputs": {"Read": read}}
    faults = wiring_faults(root, {"Child": {"Parameters": {"Taken": {}}, "Outputs": {}}})
    assert faults == ["Child: Taken is not passed", "Child: Passed is not taken", "Child: Read is not given"]


def differing_parameters(root: dict[str, Any], children: dict[str, dict[str, Any]]) -> list[str]:
    """Parameters that the root hands on as they are and that a child constrains in another way."""
    found = []
    for logical, child in children.items():
        for name, passed in root["Resources"][logical]["Properties"]["Parameters"].items():
            taken = child["Parameters"][name]
            given = root["Parameters"].get(passed.get("Ref")) if isinstance(passed, dict) else None
            if given is None or taken["Type"] != given["Type"]:
                continue
            for key in taken.keys() & {"Default", "AllowedValues", "AllowedPattern", "MinValue", "MaxValue"}:
                # What only some deployments need may be empty on one side, and lack a default in the root.
                mine, theirs = (str(side.get(key)).removeprefix("^$|") for side in (taken, given))
                if key == "AllowedValues" and "Condition" in root["Resources"][logical]:
                    # Validate's wiring rules see that the root leaves the stack out at the other values.
                    mine, theirs = str(set(taken[key]) - set(given.get(key, ()))), "set()"
                if mine != theirs and not (key == "Default" and key not in given):
                    found.append(f"{logical}: {name}: {key}")
    return found


def test_a_parameter_means_the_same_in_every_template() -> None:
    assert differing_parameters(template(ROOT), children_of(template(ROOT))) == []


def test_a_parameter_that_means_something_else_is_found() -> None:
    stack = {"Properties": {"Parameters": {"InstanceType": {"Ref": "WebInstanceType"}}}}
    given = {"WebInstanceType": {"Type": "String", "Default": "a"}}
    root = {"Resources": {"Child": stack}, "Parameters": given}
    child = {"Parameters": {"InstanceType": {"Type": "String", "Default": "b"}}}
    assert differing_parameters(root, {"Child": child}) == ["Child: InstanceType: Default"]


def test_the_web_server_does_not_wait_for_the_databases() -> None:
    stack = template(ROOT)["Resources"]["NestedEC2Stack"]
    assert {logical for logical, _ in outputs_read(stack)} == {"NestedVPCStack"}


def test_a_rule_of_the_job_carries_what_its_command_asks_for() -> None:
    resources = template(FOLDER / "batch-job.yaml")["Resources"]
    command = resources["JobDefinition"]["Properties"]["ContainerProperties"]["Command"]
    asked = {word.removeprefix("Ref::") for word in command if word.startswith("Ref::")}
    transformer = resources["IncomingObjectRule"]["Properties"]["Targets"][0]["InputTransformer"]
    given = set(re.findall(r"<(\w+)>", transformer["InputTemplate"]))
    assert asked == given == set(transformer["InputPathsMap"])
