"""Secrets, their rotation, resource policies, and the connection data that a target adds to them."""

import json
import secrets
import string
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.providers.call import absent, call, gone_is_done, pick, property_names, truth
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState

CONNECTION = ("engine", "host", "port", "dbname", "dbInstanceIdentifier", "dbClusterIdentifier")


def find(client: Any, id: str) -> Description | None:
    """The secret as Secrets Manager has it; None when it is deleted."""
    found = dict(client.describe_secret(SecretId=id))
    return None if "DeletedDate" in found else found


SECRET = Kind(
    "secretsmanager",
    "create_secret",
    find,
    "delete_secret",
    "SecretId",
    update="update_secret",
    answer="ARN",
    deletion={"ForceDeleteWithoutRecovery": True},
)


def secret_name(request: ResourceRequest) -> str:
    """A name as CloudFormation gives secrets: the logical id and twelve random characters."""
    letters = string.ascii_letters + string.digits
    return f"{request.logical_id}-{''.join(secrets.choice(letters) for _ in range(12))}"


def generated(request: ResourceRequest, how: dict[str, Any]) -> str:
    """A random value, placed under its key in the template where one is stated."""
    options = pick(
        how,
        "ExcludeCharacters ExcludeLowercase ExcludeNumbers ExcludePunctuation ExcludeUppercase IncludeSpace "
        "PasswordLength RequireEachIncludedType",
    )
    word = str(call(request.client("secretsmanager"), "get_random_password", options)["RandomPassword"])
    if "SecretStringTemplate" not in how:
        return word
    return json.dumps(json.loads(how["SecretStringTemplate"]) | {how["GenerateStringKey"]: word})


def shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters of both operations: a generated value is made anew only when its rule changes."""
    how = given.pop("GenerateSecretString", None)
    if request.previous is None:
        given.setdefault("Name", secret_name(request))
    if how and request.changed("GenerateSecretString"):
        given["SecretString"] = generated(request, how)
    elif request.previous is not None and not request.changed("SecretString"):
        given.pop("SecretString", None)
    return given


def no_id(request: ResourceRequest, found: Description) -> Description:
    """The ARN under the name that GetAtt knows."""
    return {"Id": found["ARN"]}


def read(request: ResourceRequest, secret: str) -> dict[str, Any]:
    """The JSON value of the secret."""
    value = request.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return dict(json.loads(value))


def write(request: ResourceRequest, secret: str, value: dict[str, Any]) -> None:
    """Nothing; the secret has the JSON value."""
    request.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(value))


def instance_connection(request: ResourceRequest, target: str) -> dict[str, Any]:
    """What a client needs to reach the DB instance."""
    found = request.client("rds").describe_db_instances(DBInstanceIdentifier=target)["DBInstances"][0]
    return {
        "engine": found["Engine"],
        "host": found["Endpoint"]["Address"],
        "port": found["Endpoint"]["Port"],
        "dbname": found.get("DBName", ""),
        "dbInstanceIdentifier": found["DBInstanceIdentifier"],
    }


def warehouse_connection(request: ResourceRequest, target: str) -> dict[str, Any]:
    """What a client needs to reach the Redshift cluster."""
    found = request.client("redshift").describe_clusters(ClusterIdentifier=target)["Clusters"][0]
    return {
        "engine": "redshift",
        "host": found["Endpoint"]["Address"],
        "port": found["Endpoint"]["Port"],
        "dbname": found["DBName"],
        "dbClusterIdentifier": found["ClusterIdentifier"],
    }


def cluster_connection(request: ResourceRequest, target: str) -> dict[str, Any]:
    """What a client needs to reach the DB cluster."""
    found = request.client("rds").describe_db_clusters(DBClusterIdentifier=target)["DBClusters"][0]
    return {
        "engine": found["Engine"],
        "host": found["Endpoint"],
        "port": found["Port"],
        "dbname": found.get("DatabaseName", ""),
        "dbClusterIdentifier": found["DBClusterIdentifier"],
    }


TARGETS = {
    "AWS::RDS::DBInstance": instance_connection,
    "AWS::RDS::DBCluster": cluster_connection,
    "AWS::Redshift::Cluster": warehouse_connection,
}


def bind(request: ResourceRequest) -> ResourceState:
    """The secret with the connection data of its target in it."""
    stated = request.properties
    secret = stated["SecretId"]
    connection = TARGETS[stated["TargetType"]](request, stated["TargetId"])
    plain = {key: value for key, value in read(request, secret).items() if key not in CONNECTION}
    write(request, secret, plain | connection)
    return ResourceState(secret, {"Id": secret})


def unbind(request: ResourceRequest) -> None:
    """Nothing; the secret holds no connection data any more."""
    secret = request.properties["SecretId"]
    try:
        value = read(request, secret)
    except ClientError as error:
        if absent(error) or error.response["Error"]["Code"] == "InvalidRequestException":
            return
        raise
    if any(key in value for key in CONNECTION):
        write(request, secret, {key: entry for key, entry in value.items() if key not in CONNECTION})


def rotate(request: ResourceRequest) -> ResourceState:
    """The secret with its rotation switched on by the rules stated."""
    given = pick(request.properties, "SecretId RotationLambdaARN RotationRules")
    # without a function there is nobody to write the next value: moto would make an empty one current
    now = truth(request.properties.get("RotateImmediatelyOnUpdate", True))
    given["RotateImmediately"] = now and "RotationLambdaARN" in given
    call(request.client("secretsmanager"), "rotate_secret", given)
    secret = request.properties["SecretId"]
    return ResourceState(secret, {"Id": secret})


def stop_rotation(request: ResourceRequest) -> None:
    """Nothing; the secret is not rotated any more."""
    with gone_is_done("InvalidRequestException"):
        request.client("secretsmanager").cancel_rotate_secret(SecretId=request.properties["SecretId"])


def put_policy(request: ResourceRequest) -> ResourceState:
    """The secret with its resource policy."""
    given = pick(request.properties, "SecretId ResourcePolicy BlockPublicPolicy")
    call(request.client("secretsmanager"), "put_resource_policy", given)
    secret = request.properties["SecretId"]
    return ResourceState(secret, {"Id": secret})


def delete_policy(request: ResourceRequest) -> None:
    """Nothing; the secret has no resource policy."""
    with gone_is_done("InvalidRequestException"):
        request.client("secretsmanager").delete_resource_policy(SecretId=request.properties["SecretId"])


PROVIDERS = (
    resource(
        "AWS::SecretsManager::Secret",
        SECRET,
        "Name Description KmsKeyId SecretString GenerateSecretString",
        "Description KmsKeyId SecretString GenerateSecretString",
        shape=shape,
        more=no_id,
        ignored={"ReplicaRegions": "the embedded AWS is one Region"},
    ),
    Provider(
        "AWS::SecretsManager::SecretTargetAttachment",
        property_names("SecretId TargetId TargetType"),
        bind,
        unbind,
        bind,
    ),
    Provider(
        "AWS::SecretsManager::RotationSchedule",
        property_names("SecretId RotationLambdaARN RotationRules RotateImmediatelyOnUpdate"),
        rotate,
        stop_rotation,
        rotate,
        {"HostedRotationLambda": "no function is made: the embedded AWS rotates managed secrets itself"},
    ),
    Provider(
        "AWS::SecretsManager::ResourcePolicy",
        property_names("SecretId ResourcePolicy BlockPublicPolicy"),
        put_policy,
        delete_policy,
        put_policy,
    ),
)
