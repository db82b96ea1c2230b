"""What every session of a warehouse knows: its server, its certificate, and the roles of its cluster."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from pathlib import Path

from aws_vpc.local.warehouse.copy_statement import Copy
from aws_vpc.local.warehouse.refusal import INTERNAL_ERROR, Refusal


@dataclass(frozen=True)
class Config:
    """What every session of one warehouse knows."""

    server_host: str
    server_port: int
    tls: ssl.SSLContext
    state: Path | None = None  # JSON: "roles", "default_role", "user_arn"; read again at each COPY

    def authorise(self, copy: Copy, user: str) -> None:
        """Raise Refusal unless the COPY's role is attached to the cluster."""
        if self.state is None:
            return
        state = json.loads(self.state.read_text())
        role = state.get("default_role") if copy.role == "default" else copy.role
        if role not in state["roles"]:
            asking = f"{state['user_arn']}/{user}"
            message = f"User {asking} is not authorized to assume IAM Role {role or copy.role}"
            raise Refusal(
                message, INTERNAL_ERROR, f"IAM roles attached to the cluster: {', '.join(state['roles'])}"
            )
