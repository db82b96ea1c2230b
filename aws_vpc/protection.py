"""Deletion protection of databases, which stops the deletion of a stack and is no part of it.

In: the CloudFormation and RDS clients, a stack that somebody agreed to delete. Out: what was unprotected.
"""

from typing import Any

from botocore.exceptions import ClientError

INSTANCE = "AWS::RDS::DBInstance"


def lift(cfn: Any, rds: Any, stack_id: str) -> list[str]:
    """The database instances of a stack that could not be deleted before and can be now."""
    return [one for one in instances(cfn, stack_id) if unprotect(rds, one)]


def instances(cfn: Any, stack_id: str) -> list[str]:
    """The ids of the database instances that stand in a stack."""
    return [
        member["PhysicalResourceId"]
        for page in cfn.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        for member in page["StackResourceSummaries"]
        if member["ResourceType"] == INSTANCE
        and member.get("PhysicalResourceId")
        and member["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def unprotect(rds: Any, instance: str) -> bool:
    """True when the instance was protected; it is not any more."""
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
            return False
        raise
    if not found.get("DeletionProtection"):
        return False
    rds.modify_db_instance(DBInstanceIdentifier=instance, DeletionProtection=False, ApplyImmediately=True)
    return True
