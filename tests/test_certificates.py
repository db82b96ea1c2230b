"""The local certificate authority: what it makes, what it keeps, who trusts it."""

import datetime
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from aws_vpc.local import certificates
from aws_vpc.local.certificates import Certificates


def shake_hands(files: Certificates, name: str) -> str | None:
    """The TLS version that a client trusting the authority agrees on with a server of that name."""
    client, server = socket.socketpair()
    serving = threading.Thread(
        target=lambda: files.server_context().wrap_socket(server, server_side=True).close()
    )
    serving.start()
    context = ssl.create_default_context(cafile=files.ca)
    try:
        with context.wrap_socket(client, server_hostname=name) as secure:
            return secure.version()
    finally:
        client.close()
        serving.join(5)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_authority_verifies_the_server_by_name_and_address(
    tmp_path: Path, name: str
) -> None:
    assert shake_hands(Certificates(tmp_path), name) == "TLSv1.3"


def test_only_the_owner_can_read_the_key_and_no_key_of_the_authority_is_kept(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ca.pem",
        "server.key",
        "server.pem",
        "trusted.pem",
    ]


def test_certificates_are_used_again_while_they_hold(tmp_path: Path) -> None:
    first = Certificates(tmp_path).server.read_bytes()
    assert Certificates(tmp_path).server.read_bytes() == first


@pytest.mark.parametrize("broken", ["ca.pem", "server.pem", "server.key"])
def test_a_missing_or_spoilt_file_brings_new_ones(tmp_path: Path, broken: str) -> None:
    before = Certificates(tmp_path).ca.read_bytes()
    (tmp_path / broken).write_text("spoilt")
    after = Certificates(tmp_path)
    assert after.ca.read_bytes() != before
    assert shake_hands(after, "localhost")


def test_certificates_that_end_within_a_month_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "VALIDITY", datetime.timedelta(days=29))
    first = Certificates(tmp_path).server.read_bytes()
    monkeypatch.undo()
    second = Certificates(tmp_path).server.read_bytes()
    assert second != first
    ends = x509.load_pem_x509_certificate(second).not_valid_after_utc
    assert ends > datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365)
