"""A certificate authority of this machine's own, and one server certificate for every local server.

In: `ca.pem`, `server.pem` (the certificate, then the authority), `server.key`, and `trusted.pem` (the
authority beside the public ones, for programs that trust one file only), made once and used again while
they hold. The authority's own key is thrown away after signing: nothing else can ever be
signed with it. Out: client certificates, revocation.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import ssl
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aws_vpc.errors import LocalError

VALIDITY = datetime.timedelta(days=825)  # the longest that Apple's TLS accepts of any server certificate
RENEWAL = datetime.timedelta(days=30)

NAMES: list[x509.GeneralName] = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
]


class Certificates:
    """The files of one authority and its one server certificate, made when missing or soon to end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("ca.pem", "trusted.pem", "server.pem", "server.key")
        self.ca, self.trusted, self.server, self.key = (folder / name for name in names)
        if not self._hold():
            self._make()

    def server_context(self) -> ssl.SSLContext:
        """A context for a TLS server with the server certificate, TLS 1.2 or newer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.server, self.key)
        return context

    def _hold(self) -> bool:
        """Whether all files are there, belong together, and are good for another while."""
        try:
            authority = x509.load_pem_x509_certificate(self.ca.read_bytes())
            server = x509.load_pem_x509_certificate(self.server.read_bytes())
            server.verify_directly_issued_by(authority)
            self.server_context()
            self.trusted.read_bytes()
        except (OSError, ValueError, TypeError, ssl.SSLError, InvalidSignature):
            return False
        return server.not_valid_after_utc > datetime.datetime.now(datetime.UTC) + RENEWAL

    def _make(self) -> None:
        authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = _authority(authority_key)
        server = _server(server_key, authority, authority_key)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self.key, _private(server_key), 0o600)
            _write(self.server, _public(server) + _public(authority), 0o644)
            _write(self.ca, _public(authority), 0o644)
            _write(self.trusted, Path(certifi.where()).read_bytes() + _public(authority), 0o644)
        except OSError as error:
            raise LocalError(
                f"cannot write the local certificates to {self.folder}: {error.strerror}"
            ) from error


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "aws-vpc local"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # a clock that is a little behind
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signing,
        crl_sign=signing,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name(f"aws-vpc local authority {os.urandom(4).hex()}")
    return (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signing=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name("localhost"), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
        .add_extension(_usage(signing=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a whole file in place at once, never readable by more than `mode` says."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
    draft.replace(path)


def install(certificates: Certificates, folder: Path, owner: tuple[int, int] | None) -> None:
    """Copy certificate and key to a server's folder as PostgreSQL wants them: its own, nobody else's."""
    for source, name in ((certificates.server, "server.crt"), (certificates.key, "server.key")):
        target = folder / name
        target.touch(mode=0o600)
        shutil.copyfile(source, target)
        target.chmod(0o600)
        if owner:
            os.chown(target, *owner)
