"""One service asked from where the page runs: its name, its addresses, how long TCP takes, what TLS says.

    Target ── resolve ── connect ── TLS, verified ── Finding

PostgreSQL and Redshift begin in plain text and change to TLS when asked (PostgreSQL's protocol, "SSL Session
Encryption"); HTTPS begins with TLS. A certificate that does not verify is told with its reason, and the
version of TLS is then found out without verifying.
"""

import ipaddress
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SECONDS = 2.0
# Int32 length, Int32 80877103: the request to change to TLS, answered by S for yes or N for no.
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


@dataclass(frozen=True)
class Target:
    """A service to ask: what it is called, where it is, whether and how it speaks TLS."""

    service: str
    host: str
    port: int
    tls: bool = True
    asks_first: bool = False  # for TLS, as PostgreSQL wants it
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context


@dataclass
class Finding:
    """What was found out; None where it did not come to that."""

    service: str
    host: str
    port: int
    addresses: list[str] = field(default_factory=list)
    private: bool | None = None
    connect_milliseconds: float | None = None
    tls: str | None = None
    verified: bool | None = None
    problem: str | None = None


class Unanswered(Exception):
    """A step that did not succeed; the message is for people."""


def probe(target: Target) -> Finding:
    """What one service answers, within a few times SECONDS."""
    finding = Finding(target.service, target.host, target.port)
    try:
        finding.addresses = addresses(target.host, target.port)
        finding.private = all(private(address) for address in finding.addresses)
        finding.connect_milliseconds = connected(target)
        if target.tls:
            finding.tls, finding.verified, finding.problem = encrypted(target)
    except Unanswered as error:
        finding.problem = str(error)
    return finding


def addresses(host: str, port: int) -> list[str]:
    """The addresses that the name resolves to here."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unanswered("The name does not resolve.") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def private(address: str) -> bool:
    """Whether an address is one that the internet does not route (RFC 1918, RFC 4193, this machine)."""
    return ipaddress.ip_address(address.partition("%")[0]).is_private


def connected(target: Target) -> float:
    """Milliseconds until a TCP connection stands."""
    began = time.perf_counter()
    with opened(target):
        return round((time.perf_counter() - began) * 1000, 2)


def opened(target: Target) -> socket.socket:
    """A TCP connection to the service."""
    try:
        return socket.create_connection((target.host, target.port), SECONDS)
    except TimeoutError:
        raise Unanswered(
            "No answer in time: nothing lets the connection through, or nobody is there."
        ) from None
    except OSError as error:
        raise Unanswered(f"The connection was refused: {error.strerror or 'no route'}.") from None


def encrypted(target: Target) -> tuple[str | None, bool, str | None]:
    """The version of TLS, whether the certificate verifies, and why not."""
    try:
        return handshake(target, target.context()), True, None
    except ssl.SSLCertVerificationError as error:
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        return (
            handshake(target, unverified),
            False,
            f"The certificate does not verify: {error.verify_message}.",
        )
    except FileNotFoundError:
        return None, False, "The certificates to verify it with are missing."


def handshake(target: Target, context: ssl.SSLContext) -> str | None:
    """The version of TLS that both sides agree on."""
    try:
        with opened(target) as plain:
            if target.asks_first:
                plain.sendall(SSL_REQUEST)
                if plain.recv(1) != b"S":
                    raise Unanswered("The server does not offer TLS.")
            with context.wrap_socket(plain, server_hostname=target.host) as secure:
                return secure.version()
    except ssl.SSLCertVerificationError:
        raise
    except OSError:
        raise Unanswered("The TLS handshake failed.") from None
