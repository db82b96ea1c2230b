"""Redshift's own rules for a cluster, where moto has none, in Redshift's words where they are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_vpc.local.databases import IDENTIFIER, RESERVED, invalid

NODE_TYPES = (
    *("dc2.large", "dc2.8xlarge", "ra3.large", "ra3.xlplus", "ra3.4xlarge", "ra3.16xlarge"),
    *("rg.large", "rg.xlarge", "rg.4xlarge", "rg.12xlarge"),
)
_PORTS = (range(5431, 5456), range(8191, 8216))  # of RG and RA3 nodes
_TAKEN_NAMES = RESERVED | {"public", "rdsdb", "rdsadmin"}
_USER = re.compile(r"[a-z][a-z0-9_+.@-]{0,127}")
_DATABASE = re.compile(r"[a-z_][a-z0-9_$]{0,63}")
_PASSWORD_NEEDS = (("[A-Z]", "uppercase letter"), ("[a-z]", "lowercase letter"), ("[0-9]", "number"))


def check_create(asked: Mapping[str, Any]) -> None:
    """Raise ServiceError for what Redshift would not create."""
    identifier = asked.get("ClusterIdentifier", "")
    if not IDENTIFIER.fullmatch(identifier):
        raise invalid(
            f"The parameter ClusterIdentifier ({identifier}) is not a valid identifier: it must begin with a "
            "letter, have 1 to 63 lowercase letters, digits, hyphens, no hyphen at the end, no two together."
        )
    _check_nodes(asked)
    _check_user(asked.get("MasterUsername", ""))
    _check_database(asked.get("DBName"))
    if asked.get("ManageMasterPassword"):
        if asked.get("MasterUserPassword") is not None:
            text = "You can't use MasterUserPassword if ManageMasterPassword is true."
            raise invalid(text, "InvalidParameterCombination")
        return
    check_password(asked.get("MasterUserPassword"))


def check_password(password: str | None) -> None:
    """Raise ServiceError for a master password that Redshift refuses."""
    if not password:
        raise invalid("The parameter MasterUserPassword must be provided and must not be blank.")
    start = "The parameter MasterUserPassword is not a valid password"
    if not 8 <= len(password) <= 64:
        raise invalid(f"{start}: it must be between 8 and 64 characters in length.")
    for pattern, what in _PASSWORD_NEEDS:
        if not re.search(pattern, password):
            raise invalid(f"{start}: it must contain at least one {what}.")
    if not re.fullmatch("[!-~]+", password) or re.search("[/@\"'\\\\]", password):
        text = "Only printable ASCII characters except for '/', '@', '\"', ' ', '\\', ''' may be used."
        raise invalid(f"{start}. {text}")


def _check_nodes(asked: Mapping[str, Any]) -> None:
    node, kind = asked.get("NodeType", ""), asked.get("ClusterType") or "multi-node"
    if node not in NODE_TYPES:
        raise invalid(f"Invalid node type: {node}")
    if kind not in ("single-node", "multi-node"):
        raise invalid("Invalid cluster type. Cluster type can be one of multi-node or single-node")
    nodes = asked.get("NumberOfNodes")
    if kind == "multi-node" and asked.get("ClusterType") and int(nodes or 0) < 2:
        text = "Number of nodes for cluster type multi-node must be greater than or equal to 2"
        raise invalid(text, "InvalidParameterCombination")
    port = asked.get("Port")
    if port is not None and not node.startswith("dc2") and not any(int(port) in ports for ports in _PORTS):
        raise invalid(f"Invalid port {port}: for {node} it must be between 5431 and 5455 or 8191 and 8215.")
    if port is not None and not 1150 <= int(port) <= 65535:
        raise invalid(f"Invalid port {port}: it must be between 1150 and 65535.")


def _check_user(user: str) -> None:
    if not user:
        raise invalid("The parameter MasterUsername must be provided and must not be blank.")
    if not _USER.fullmatch(user):
        raise invalid(
            f"The parameter MasterUsername ({user}) is not valid: it must begin with a lowercase letter "
            "and have only lowercase letters, digits and _ + . @ -."
        )
    if user in _TAKEN_NAMES:
        raise invalid(f"MasterUsername {user} cannot be used as it is a reserved word.")


def _check_database(name: str | None) -> None:
    if name is None:
        return
    if not _DATABASE.fullmatch(name):
        raise invalid(f"The parameter DBName ({name}) must have 1 to 64 lowercase letters and digits.")
    if name in RESERVED or name in ("template0", "template1", "padb_harvest"):
        raise invalid(f"DBName {name} cannot be used as it is a reserved word.")
