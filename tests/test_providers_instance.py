"""Instances: launched as stated, changed as AWS changes them, and gone so that the VPC can go too."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from providers_bench import IMAGE, Bench, Made, serving

from aws_vpc.local.providers import (
    PROVIDERS,
    ResourceFailed,
    ResourceRequest,
    conditional_create_only,
    name,
    provider,
    read_only,
    schema,
)

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    yield from serving()


def profile(bench: Bench) -> str:
    """An instance profile with a role in it."""
    role = bench.make("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST).ref
    return bench.make("AWS::IAM::InstanceProfile", Roles=[role]).ref


def encoded(text: str) -> str:
    """The text as Fn::Base64 makes it."""
    return base64.b64encode(text.encode()).decode()


def seen(bench: Bench, id: str) -> Any:
    """The instance as EC2 describes it."""
    return bench.ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]


def user_data(bench: Bench, id: str) -> str:
    """The instance's user data in clear."""
    found = bench.ec2.describe_instance_attribute(InstanceId=id, Attribute="userData")["UserData"]["Value"]
    return base64.b64decode(found).decode()


def groups(found: Any) -> list[str]:
    """The ids of the groups of the instance."""
    return [group["GroupId"] for group in found["SecurityGroups"]]


def profile_of(bench: Bench, id: str) -> str:
    """The ARN of the instance profile that is associated with the instance."""
    by = [{"Name": "instance-id", "Values": [id]}]
    found = bench.ec2.describe_iam_instance_profile_associations(Filters=by)["IamInstanceProfileAssociations"]
    return str(found[0]["IamInstanceProfile"]["Arn"])


def server(bench: Bench, **more: Any) -> Made:
    """An instance as the web server is made."""
    return bench.make(
        "AWS::EC2::Instance",
        {"Owner": "first"},
        ImageId=IMAGE,
        InstanceType="t3.micro",
        SubnetId=bench.subnets[0],
        Tags=[{"Key": "Name", "Value": "web"}],
        **more,
    )


def test_instance_has_all_that_was_stated(bench: Bench) -> None:
    made = server(
        bench,
        SecurityGroupIds=[bench.group],
        IamInstanceProfile=profile(bench),
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": "1"},
        Monitoring="true",
        UserData=encoded("#!/bin/sh\n"),
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": "10", "VolumeType": "gp3", "Encrypted": "true"}}
        ],
    )
    found = seen(bench, made.id)
    assert found["State"]["Name"] == "running"
    assert groups(found) == [bench.group]
    assert ":instance-profile/" in found["IamInstanceProfile"]["Arn"]
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert user_data(bench, made.id) == "#!/bin/sh\n"
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert (
        tags["Name"] == "web"
        and tags["Owner"] == "first"
        and tags["aws:cloudformation:logical-id"] == "Thing"
    )
    assert made["PrivateIp"] == found["PrivateIpAddress"] and made["AvailabilityZone"] == "eu-central-1a"
    assert made["VpcId"] == bench.vpc and made["State.Name"] == "running"
    assert made["PublicIp"] == "" and {"PublicDnsName", "PrivateDnsName"} <= made.state.attributes.keys()


def test_instance_is_changed_in_place(bench: Bench) -> None:
    made = server(bench, SecurityGroupIds=[bench.group], IamInstanceProfile=profile(bench))
    before = profile_of(bench, made.id)
    made.update(
        {
            "InstanceType": "t3.small",
            "SecurityGroupIds": [bench.other_group],
            "IamInstanceProfile": profile(bench),
            "MetadataOptions": {"HttpTokens": "required"},
            "UserData": encoded("#!/bin/sh\nexit\n"),
            "SourceDestCheck": "false",
            "Tags": [{"Key": "Name", "Value": "server"}],
        },
        {"Owner": "second"},
    )
    found = seen(bench, made.id)
    assert found["InstanceType"] == "t3.small" and found["State"]["Name"] == "running"
    assert groups(found) == [bench.other_group] and profile_of(bench, made.id) != before
    assert found["MetadataOptions"]["HttpTokens"] == "required" and not found["SourceDestCheck"]
    assert user_data(bench, made.id) == "#!/bin/sh\nexit\n"
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags["Name"] == "server" and tags["Owner"] == "second"


def test_instance_takes_what_its_launch_template_says(bench: Bench) -> None:
    data = {
        "ImageId": "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        "InstanceType": "t3.small",
        "IamInstanceProfile": {"Name": profile(bench)},
        "SecurityGroupIds": [bench.group],
        "MetadataOptions": {"HttpTokens": "required"},
        "UserData": encoded("echo"),
    }
    template = bench.make("AWS::EC2::LaunchTemplate", LaunchTemplateData=data)
    version = {"LaunchTemplateId": template.ref, "Version": template["LatestVersionNumber"]}
    made = bench.make("AWS::EC2::Instance", LaunchTemplate=version, SubnetId=bench.subnets[0])
    found = seen(bench, made.id)
    assert found["ImageId"].startswith("ami-") and found["InstanceType"] == "t3.small"
    assert groups(found) == [bench.group] and found["MetadataOptions"]["HttpTokens"] == "required"
    assert user_data(bench, made.id) == "echo" and "IamInstanceProfile" in found


def test_instance_is_gone_when_deleted_and_that_twice(bench: Bench) -> None:
    made = server(bench)
    made.delete()
    assert seen(bench, made.id)["State"]["Name"] == "terminated"
    made.delete()


def test_address_of_an_instance_is_where_its_server_listens(bench: Bench) -> None:
    instance = server(bench)
    first = bench.make("AWS::EC2::EIP", InstanceId=instance.ref)
    second = bench.make("AWS::EC2::EIP", InstanceId=server(bench).ref)
    assert first.ref == "127.0.0.1" != second.ref
    assert seen(bench, instance.ref)["PublicIpAddress"] == "127.0.0.1"
    first.delete()
    second.delete()


def test_network_can_be_deleted_when_its_parts_are(bench: Bench) -> None:
    first = len(bench.made)
    vpc = bench.make("AWS::EC2::VPC", CidrBlock="10.3.0.0/16")
    subnet = bench.make("AWS::EC2::Subnet", VpcId=vpc.ref, CidrBlock="10.3.0.0/24").ref
    gateway = bench.make("AWS::EC2::InternetGateway").ref
    bench.make("AWS::EC2::VPCGatewayAttachment", VpcId=vpc.ref, InternetGatewayId=gateway)
    table = bench.make("AWS::EC2::RouteTable", VpcId=vpc.ref).ref
    bench.make("AWS::EC2::SubnetRouteTableAssociation", SubnetId=subnet, RouteTableId=table)
    bench.make("AWS::EC2::Route", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    group = bench.make("AWS::EC2::SecurityGroup", GroupDescription="web", VpcId=vpc.ref).ref
    bench.make("AWS::EC2::SecurityGroupIngress", GroupId=group, IpProtocol="-1", SourceSecurityGroupId=group)
    address = bench.make("AWS::EC2::EIP")["AllocationId"]
    bench.make("AWS::EC2::NatGateway", SubnetId=subnet, AllocationId=address)
    service = "com.amazonaws.eu-central-1.secretsmanager"
    bench.make(
        "AWS::EC2::VPCEndpoint",
        VpcId=vpc.ref,
        ServiceName=service,
        VpcEndpointType="Interface",
        SubnetIds=[subnet],
        SecurityGroupIds=[group],
    )
    bench.make("AWS::EC2::Instance", ImageId=IMAGE, SubnetId=subnet, SecurityGroupIds=[group])
    for made in reversed(bench.made[first:]):
        made.delete()
    assert vpc.ref not in [found["VpcId"] for found in bench.ec2.describe_vpcs()["Vpcs"]]
    interfaces = bench.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc.ref]}])
    assert interfaces["NetworkInterfaces"] == []


def test_failed_creation_leaves_nothing_behind(bench: Bench) -> None:
    before = {role["RoleName"] for role in bench.iam.list_roles()["Roles"]}
    with pytest.raises(ClientError, match="NoSuchEntity"):
        bench.make(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument=TRUST,
            ManagedPolicyArns=["arn:aws:iam::aws:policy/NobodyWroteThis"],
        )
    assert {role["RoleName"] for role in bench.iam.list_roles()["Roles"]} == before


def test_unsupported_property_is_an_error_that_names_it(bench: Bench) -> None:
    with pytest.raises(
        ResourceFailed, match=r"IntelligentTieringConfigurations of Thing \(AWS::S3::Bucket\)"
    ):
        bench.make("AWS::S3::Bucket", IntelligentTieringConfigurations=[])
    with pytest.raises(ResourceFailed, match=r"extraneous key \[Colour\]"):
        bench.make("AWS::EC2::LaunchTemplate", LaunchTemplateData={"Colour": "red"})


def test_unknown_type_has_no_provider() -> None:
    with pytest.raises(KeyError):
        provider("AWS::Nothing::AtAll")


def test_every_property_of_a_provider_is_one_of_its_type() -> None:
    for type, entry in PROVIDERS.items():
        known = set(schema(type)["properties"])
        assert entry.applied | entry.ignored.keys() <= known, type
        assert not entry.applied & entry.ignored.keys(), type
        assert not (entry.applied - {"MasterUserSecret"}) & read_only(type), type


def test_names_are_those_of_cloudformation() -> None:
    request = ResourceRequest(
        "AWS::S3::Bucket", "Thing", "bench", "", "", "", {}, None, None, {}, lambda service: None
    )
    long = name(replace(request, stack_name="s" * 128), maximum=63, lower=True)
    assert len(long) <= 63 and long == long.lower() and "-thing-" in long
    assert name(request, maximum=64).startswith("bench-Thing-") and len(name(request, maximum=64)) == 24
    assert name(request, maximum=64) != name(request, maximum=64)


def test_schema_says_what_may_replace() -> None:
    assert "UserData" in conditional_create_only("AWS::EC2::Instance")
