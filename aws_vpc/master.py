"""The secret with the master user's name and password that a user gives on the command line.

In: the Secrets Manager client, the stack's name, values that inputs.py has checked. Out: the secret's ARN.
The password goes nowhere else: stacks and jobs get the ARN.
"""

import json
from typing import Any

from botocore.exceptions import ClientError


def secret_name(stack: str) -> str:
    """The name of a stack's master secret."""
    return f"{stack}/master"


def put(secretsmanager: Any, stack: str, username: str, password: str) -> str:
    """The ARN of the secret, which now holds the name and the password."""
    name, value = secret_name(stack), json.dumps({"username": username, "password": password})
    try:
        answer = secretsmanager.create_secret(
            Name=name,
            SecretString=value,
            Description=f"Master user of the databases of {stack}",
            Tags=[{"Key": "EnvironmentName", "Value": stack}],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceExistsException":
            raise
        answer = secretsmanager.put_secret_value(SecretId=name, SecretString=value)
    return str(answer["ARN"])


def remove(secretsmanager: Any, stack: str) -> bool:
    """True when there was such a secret, which is gone now."""
    try:
        secretsmanager.describe_secret(SecretId=secret_name(stack))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    secretsmanager.delete_secret(SecretId=secret_name(stack), ForceDeleteWithoutRecovery=True)
    return True
