"""RDS's own rules for a PostgreSQL instance, where moto has none, in RDS's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_vpc.local.databases import IDENTIFIER, RESERVED, invalid
from aws_vpc.local.wire import ServiceError

# aws rds describe-db-engine-versions --engine postgres: what can be created, oldest first.
ENGINE_VERSIONS = {
    "16": tuple(f"16.{minor}" for minor in range(8, 16)),
    "17": tuple(f"17.{minor}" for minor in range(4, 12)),
    "18": ("18.1", "18.2", "18.3", "18.4", "18.6"),
}
_TAKEN_NAMES = RESERVED | {
    "admin",
    "rdsadmin",
    "rds_superuser",
    "rds_replication",
    "rds_password",
    "rdsrepladmin",
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


def check_create(asked: Mapping[str, Any]) -> None:
    """Raise ServiceError for what RDS would not create."""
    _check_identifier(asked.get("DBInstanceIdentifier", ""))
    _check_version(asked.get("EngineVersion"))
    _check_storage(asked)
    _check_user(asked.get("MasterUsername", ""))
    _check_database(asked.get("DBName"))
    _check_port(asked.get("Port"))
    if asked.get("ManageMasterUserPassword"):
        if asked.get("MasterUserPassword") is not None:
            text = (
                "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled."
            )
            raise invalid(text, "InvalidParameterCombination")
        return
    check_password(asked.get("MasterUserPassword"))


def check_engine(asked: Mapping[str, Any]) -> None:
    """Raise ServiceError for an engine that has no server here."""
    engine = asked.get("Engine")
    if engine != "postgres":
        raise invalid(f"Invalid DB engine: {engine}. The embedded AWS runs postgres only.")


def check_time(asked: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    """Raise ServiceError for a point in time that the instance cannot be restored to."""
    name = source["DBInstanceIdentifier"]
    if not source.get("BackupRetentionPeriod"):
        text = f"Point in time restoration is not enabled for this instance: {name} keeps no backups."
        raise invalid(text, "PointInTimeRestoreNotEnabled")
    if not asked.get("UseLatestRestorableTime"):
        raise invalid(
            f"The instance {name} cannot be restored to {asked.get('RestoreTime')}: the embedded AWS keeps "
            "no log of the past. Use UseLatestRestorableTime, or a snapshot."
        )


def refuse_replica(source: Mapping[str, Any]) -> ServiceError:
    """Why the instance gets no read replica."""
    if not source.get("BackupRetentionPeriod"):
        return invalid(
            "Automated backups are not enabled for this database instance. To enable automated backups, use "
            "ModifyDBInstance to set the backup retention period to a non-zero value.",
            "InvalidDBInstanceState",
        )
    text = "CreateDBInstanceReadReplica is not part of the embedded AWS: restore a snapshot for a copy."
    return invalid(text, "UnsupportedOperation")


def check_password(password: str | None) -> None:
    """Raise ServiceError for a master password that RDS refuses."""
    if not password:
        raise invalid("The parameter MasterUserPassword must be provided and must not be blank.")
    start = "The parameter MasterUserPassword is not a valid password"
    if len(password) < 8:
        raise invalid(f"{start} because it is shorter than 8 characters.")
    if len(password) > 128:
        raise invalid(f"{start} because it is longer than 128 characters.")
    if not re.fullmatch(r"[!-~]+", password) or re.search(r'[/@"]', password):
        raise invalid(f"{start}. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")


def _check_identifier(identifier: str) -> None:
    if not IDENTIFIER.fullmatch(identifier):
        raise invalid(
            "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must begin with a "
            "letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or "
            "contain two consecutive hyphens."
        )


def _check_version(version: str | None) -> None:
    if version is None:
        return
    if version not in ENGINE_VERSIONS and version not in ENGINE_VERSIONS.get(version.split(".")[0], ()):
        raise invalid(f"Cannot find version {version} for postgres", "InvalidParameterCombination")


def _check_storage(asked: Mapping[str, Any]) -> None:
    kind, size = asked.get("StorageType") or "gp2", asked.get("AllocatedStorage")
    if size is None:
        raise invalid("The parameter AllocatedStorage must be provided and must not be blank.")
    least = {"standard": 5, "io1": 100, "io2": 100}.get(kind, 20)
    if not least <= int(size) <= 65536:
        text = f"Invalid storage size for engine name postgres and storage type {kind}: {size}"
        raise invalid(text, "InvalidParameterCombination")


def _check_user(user: str) -> None:
    if not user:
        raise invalid("The parameter MasterUsername must be provided and must not be blank.")
    if user.lower() in _TAKEN_NAMES or user.lower().startswith("pg_"):
        raise invalid(f"MasterUsername {user} cannot be used as it is a reserved word used by the engine")
    if not _NAME.fullmatch(user):
        raise invalid(
            "The parameter MasterUsername is not a valid identifier. It must begin with a letter and "
            "contain only 1 to 63 letters, digits and underscores."
        )


def _check_database(name: str | None) -> None:
    if name is None:
        return
    if not _NAME.fullmatch(name):
        raise invalid("DBName must begin with a letter and contain only alphanumeric characters.")
    if name.lower() in RESERVED or name.lower() in ("template0", "template1", "rdsadmin"):
        raise invalid(f"DBName {name} cannot be used.  It is a reserved word for this engine")


def _check_port(port: int | None) -> None:
    if port is not None and not 1150 <= int(port) <= 65535:
        raise invalid(f"Invalid port {port}: the value must be between 1150 and 65535.")


def engine_versions(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The versions of PostgreSQL that a DescribeDBEngineVersions asks for."""
    wanted = asked.get("EngineVersion", "")
    versions = [version for major in ENGINE_VERSIONS for version in ENGINE_VERSIONS[major]]
    found = [described(one) for one in versions if wanted in ("", one, one.split(".")[0])]
    return found[-1:] if asked.get("DefaultOnly") else found


def described(version: str) -> dict[str, Any]:
    """A version of PostgreSQL as RDS describes it."""
    return {
        "Engine": "postgres",
        "EngineVersion": version,
        "DBParameterGroupFamily": f"postgres{version.split('.')[0]}",
        "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {version}",
        "Status": "available",
    }
