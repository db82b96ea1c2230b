"""Whose fault a failure is, and which property or parameter of the root is behind it."""

from datetime import UTC, datetime

import pytest

from aws_vpc import causes, diagnosis
from aws_vpc.causes import ENVIRONMENT, TEMPLATE
from aws_vpc.events import Event
from aws_vpc.template import load

REASONS = [
    ("User: arn is not authorized to perform: ec2:CreateVpc", ENVIRONMENT, "--role-arn"),
    ("The maximum number of VPCs has been reached. (VpcLimitExceeded)", ENVIRONMENT, "Service Quotas"),
    ("The bucket you tried to delete is not empty (BucketNotEmpty)", ENVIRONMENT, "--purge-data"),
    ("We currently do not have sufficient capacity", TEMPLATE, ""),
    ("Insufficient instance capacity. InsufficientInstanceCapacity", ENVIRONMENT, "another zone"),
    ("x already exists (HandlerErrorCode: AlreadyExists)", ENVIRONMENT, "another name"),
    ("resource sg-1 has a dependent object (DependencyViolation)", ENVIRONMENT, "delete what uses it"),
    ("Export a cannot be deleted as it is in use by b", ENVIRONMENT, "imports it"),
    ("Resource timed out (HandlerErrorCode: NotStabilized)", ENVIRONMENT, "own logs"),
    ("Rate exceeded (HandlerErrorCode: Throttling)", ENVIRONMENT, "run it again"),
    ("Internal Failure", ENVIRONMENT, "run it again"),
    ("Action denied by stack policy: Statement [#1] denies", ENVIRONMENT, "--stack-policy"),
    ("Properties validation failed: #/Engine: oracle is not a valid enum value", TEMPLATE, ""),
    ("The CIDR '10.0.0.0/40' is invalid (HandlerErrorCode: InvalidRequest)", TEMPLATE, ""),
]


@pytest.mark.parametrize(("reason", "fault", "advice"), REASONS)
def test_a_reason_tells_whose_fault_it_is_and_what_helps(reason, fault, advice):
    told = causes.judged(reason)
    assert told[0] == fault and advice in told[1]


ROOT = """
Parameters:
  TemplateBaseUrl: {Type: String}
  Class: {Type: String, Default: db.t3.micro}
Resources:
  NestedVPCStack:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: !Sub '${TemplateBaseUrl}/vpc.yaml'}
  NestedRDSStack:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !Sub ${TemplateBaseUrl}/rds.yaml
      Parameters:
        DatabaseClass: !Ref Class
        Subnets: !GetAtt NestedVPCStack.Outputs.PrivateSubnets
        Engine: postgres
"""
RDS = """
Parameters:
  DatabaseClass: {Type: String}
  Subnets: {Type: CommaDelimitedList}
  Engine: {Type: String}
  Storage: {Type: Number, Default: 20}
Resources:
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      DBInstanceClass: !Ref DatabaseClass
      Engine: !Ref Engine
      AllocatedStorage: !Ref Storage
      DBSubnetGroupName: !Ref Group
      Port: 70000
  Group:
    Type: AWS::RDS::DBSubnetGroup
    Properties: {SubnetIds: !Ref Subnets}
"""
ATTEMPT = diagnosis.Attempt(load(ROOT), {"Class": "db.x9.nano"}, {"rds.yaml": load(RDS)})
BLAMED = [
    ("Database", "Invalid DB Instance class: db.x9.nano",
     "property DBInstanceClass, which --param Class=... sets"),
    ("Database", "Invalid value for DBInstanceClass",
     "property DBInstanceClass, which --param Class=... sets"),
    ("Database", "Port 70000 is out of range", "property Port"),
    ("Database", "engine postgres is not offered",
     "property Engine, which parameter Engine of NestedRDSStack sets"),
    ("Database", "allocatedStorage must be at least 100",
     "property AllocatedStorage, which the default of Storage in NestedRDSStack sets"),
    ("Group", "SubnetIds are in one zone",
     "property SubnetIds, which output PrivateSubnets of NestedVPCStack sets"),
    ("Database", "something else altogether", ""),
]  # fmt: skip


@pytest.mark.parametrize(("logical", "reason", "change"), BLAMED)
def test_the_property_and_the_parameter_behind_it_are_named(logical, reason, change):
    kind = "AWS::RDS::DBInstance" if logical == "Database" else "AWS::RDS::DBSubnetGroup"
    path = ("app", "NestedRDSStack", logical)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    failed = Event("1", "stack", path, "", kind, "CREATE_FAILED", reason, now)
    (cause,) = diagnosis.explained("app", [failed], ATTEMPT)
    assert cause.change == change
    assert f"change {change}" in str(cause) if change else "change" not in str(cause)
