"""What the cases of several services make first."""

from typing import Any

from providers_bench import Bench, Made

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def policy(action: str) -> dict[str, Any]:
    """An identity policy that allows the action."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def role(bench: Bench) -> Made:
    """A role without policies."""
    return bench.make("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)


DATABASE = {
    "Engine": "postgres",
    "EngineVersion": "17",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": "20",
    "MasterUsername": "master",
    "ManageMasterUserPassword": "true",
    "DBName": "people",
}

CLUSTER = {
    "ClusterType": "single-node",
    "NodeType": "ra3.large",
    "NumberOfNodes": 1,
    "DBName": "dev",
    "MasterUsername": "master",
    "MasterUserPassword": "Passw0rdPassw0rd",
}
