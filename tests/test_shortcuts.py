"""What is remembered changes no answer: asked of moto alone, and of moto with the shortcuts."""

import json
import subprocess
import sys

import pytest

ASK = """
import json, os, sys
os.environ["MOTO_ACCOUNT_ID"] = "123456789012"
if sys.argv[1] == "short":
    from aws_vpc.local import shortcuts
    shortcuts.take()
import boto3
from moto import mock_aws
settings = {"region_name": "us-west-2", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
with mock_aws():
    ec2 = boto3.client("ec2", **settings)
    found = {"types": [], "kinds": {}}
    for kind in ("region", "availability-zone", "availability-zone-id"):
        here = ec2.describe_instance_type_offerings(LocationType=kind)["InstanceTypeOfferings"]
        found["kinds"][kind] = sorted(map(tuple, (each.items() for each in here)), key=str)[:50] + [len(here)]
    found["prices"] = len(ec2.describe_spot_price_history(InstanceTypes=["t3.micro"])["SpotPriceHistory"])
    found["regions"] = [each["RegionName"] for each in ec2.describe_regions()["Regions"]]
    found["made"] = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t3.micro",
        Placement={"AvailabilityZone": "us-west-2b"},
    )["Instances"][0]["Placement"]["AvailabilityZone"]
    found["buckets"] = boto3.client("s3", **settings).list_buckets()["Buckets"]
    if sys.argv[1] == "short":
        from aws_vpc.local import ec2_endpoint_services
        ec2_endpoint_services.prepare("us-west-2")
    listed = ec2.describe_vpc_endpoint_services()["ServiceDetails"]
    kinds = {each["ServiceName"]: each["ServiceType"][0]["ServiceType"] for each in listed}
    asked = ("s3", "dynamodb", "secretsmanager", "logs", "sts", "ecr.api", "kms", "ssm")
    found["services"] = {one: kinds.get(f"com.amazonaws.us-west-2.{one}") for one in asked}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, object]]:
    ways = ("plain", "short")
    running = [subprocess.Popen([sys.executable, "-c", ASK, way], stdout=subprocess.PIPE) for way in ways]
    said = [process.communicate(timeout=600)[0] for process in running]
    return {way: json.loads(text) for way, text in zip(ways, said, strict=True)}


@pytest.mark.parametrize("what", ["kinds", "prices", "regions", "made", "buckets", "services"])
def test_the_shortcuts_change_no_answer(answers: dict[str, dict[str, object]], what: str) -> None:
    assert answers["short"][what] == answers["plain"][what]
