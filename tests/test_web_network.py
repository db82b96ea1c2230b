"""Connectivity from where the pages run, and the network that the start page draws: words and drawing."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from web import connectivity, facts, probe
from web_support import DRIVER_WARNINGS, NETWORK, Web, application_client, running_web

from aws_vpc.local.certificates import Certificates

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client, scope="module")
pytestmark = DRIVER_WARNINGS


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """A machine that is busy is not a service that does not answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "SECONDS", 300.0)
        yield


def test_everything_is_reached_and_the_certificates_of_both_databases_verify(client: Any) -> None:
    facts = client.get("/network.json").json
    services = {service["service"]: service for service in facts["services"]}
    assert list(services) == ["RDS", "Redshift", "Secrets Manager", "S3"]
    assert facts["reached"] is True
    for service in services.values():
        assert service["private"] is True and service["connect_milliseconds"] > 0
        assert service["way"] == "within this machine"
    for name in ("RDS", "Redshift"):
        assert (services[name]["tls"], services[name]["verified"]) == ("TLSv1.3", True)
    page = client.get("/network").text
    assert page.count("verified</dd>") == 2 and page.count(">reached<") == 4


def test_a_database_that_is_away_or_has_a_wrong_name_is_said(
    client: Any, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.redshift, "port", 1)
    web.secrets.put_secret_value(SecretId=web.redshift.secret, SecretString=web.redshift.login())
    fresh = next(clients := application_client(web))
    services = fresh.get("/network.json").json["services"]
    assert "refused" in services[1]["problem"] and services[1]["connect_milliseconds"] is None
    assert fresh.get("/network").status_code == 200
    monkeypatch.undo()
    web.secrets.put_secret_value(SecretId=web.redshift.secret, SecretString=web.redshift.login())
    list(clients)


@contextmanager
def listening(context: ssl.SSLContext | None, answer: bytes = b"S") -> Iterator[int]:
    """The port of a server that answers the wish for TLS, and then speaks it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(3):  # TCP alone, verified, unverified
                try:
                    connection, _address = listener.accept()
                    with connection:
                        if connection.recv(8) and answer:
                            connection.sendall(answer)
                        if context:
                            context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """TLS with a certificate of an authority that nobody here trusts."""
    certificates = Certificates(tmp_path_factory.mktemp("stranger"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    return context


def test_a_certificate_that_does_not_verify_is_told_with_the_version(stranger: ssl.SSLContext) -> None:
    with listening(stranger) as port:
        found = probe.probe(probe.Target("RDS", "localhost", port, asks_first=True))
    assert (found.tls, found.verified) == ("TLSv1.3", False)
    assert "does not verify" in str(found.problem)


def test_a_server_without_tls_is_told() -> None:
    with listening(None, b"N") as port:
        found = probe.probe(probe.Target("RDS", "localhost", port, asks_first=True))
    assert (found.tls, found.problem) == (None, "The server does not offer TLS.")


def test_a_name_that_does_not_resolve_is_told() -> None:
    found = probe.probe(probe.Target("RDS", "no-such-name.invalid", 5432))
    assert (found.addresses, found.problem) == ([], "The name does not resolve.")


def test_missing_authorities_are_told(tmp_path: Path, stranger: ssl.SSLContext) -> None:
    nowhere = str(tmp_path / "none.pem")
    with listening(stranger) as port:
        context = lambda: ssl.create_default_context(cafile=nowhere)  # noqa: E731
        found = probe.probe(probe.Target("RDS", "localhost", port, asks_first=True, context=context))
    assert found.problem == "The certificates to verify it with are missing."


KNOWN = facts.parse(NETWORK)


@pytest.mark.parametrize(
    ("service", "address", "network", "says"),
    [
        ("RDS", "10.0.4.5", KNOWN, "within the network"),
        ("RDS", "54.1.2.3", KNOWN, "by internet"),
        ("Redshift", "10.1.4.5", KNOWN, "within the networks, through pcx-0123abcd"),
        ("Redshift", "54.1.2.3", KNOWN, "by internet"),
        ("Secrets Manager", "10.0.1.9", KNOWN, "by endpoint vpce-1111"),
        ("Secrets Manager", "10.0.1.9", facts.NetworkFacts(), "by endpoint"),
        ("Secrets Manager", "52.1.2.3", KNOWN, "by internet"),
        ("S3", "52.1.2.3", KNOWN, "by endpoint vpce-2222, a gateway in the route table"),
        ("S3", "52.1.2.3", facts.NetworkFacts(), "by internet"),
        ("S3", "127.0.0.1", KNOWN, "within this machine"),
    ],
)
def test_the_way_is_told_in_words(service: str, address: str, network: facts.NetworkFacts, says: str) -> None:
    found = probe.Finding(service, "name", 1, [address], probe.private(address))
    assert connectivity.way(found, network) == says


def test_deployed_facts_are_read_by_the_names_of_the_outputs() -> None:
    assert (KNOWN.vpc, KNOWN.public_subnets) == ("vpc-0a1b2c3d", ("subnet-1", "subnet-2"))
    assert (KNOWN.warehouse_vpc_cidr, KNOWN.s3_gateway_endpoint) == ("10.1.0.0/16", "vpce-2222")
    assert facts.parse("") == facts.parse("Nonsense ==") == facts.NetworkFacts()


def drawing(page: str) -> ElementTree.Element:
    """The drawing of the page, which must be well-formed."""
    (text,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return ElementTree.fromstring(text)


def test_the_start_page_draws_what_is_deployed_with_the_paths_highlighted(client: Any) -> None:
    svg = drawing(client.get("/").text)
    words = " ".join("".join(text.itertext()) for text in svg.iter("text"))
    for told in (
        "vpc-0a1b2c3d",
        "10.0.0.0/16",
        "vpc-9f8e7d6c",
        "pcx-0123abcd",
        "vpce-1111",
        "2 data subnets",
    ):
        assert told in words
    assert [path.get("class") for path in svg.iter("path")].count("path up") == 2
    assert svg.find("title") is not None and svg.get("role") == "img"
    network = client.get("/.json").json["network"]
    assert network["vpc"] == "vpc-0a1b2c3d"
    rds, redshift = network["paths"]
    assert (rds["up"], rds["port"], rds["through"]) == (True, web_port(client, "rds"), [])
    assert redshift["through"] == ["pcx-0123abcd"]


def web_port(client: Any, name: str) -> int:
    """The port in the secret of a database."""
    return int(client.application.extensions["databases"][name].place[1])


def test_what_the_drawing_shows_is_told_in_words_beside_it(client: Any) -> None:
    page = client.get("/").text
    (twin,) = re.findall(r'<ol id="network-text">.*?</ol>', page, re.DOTALL)
    assert "through pcx-0123abcd into vpc-9f8e7d6c" in re.sub(r"\s+", " ", twin)
    assert 'aria-labelledby="network-title network-text"' in page


def test_facts_of_the_network_are_escaped(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_NETWORK", 'Vpc="><script>alert(1)</script>')
    client = next(clients := application_client(web))
    assert "<script>alert" not in client.get("/").text
    list(clients)


def test_without_a_warehouse_the_pages_show_one_database(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEB_WAREHOUSE_SECRET")
    client = next(clients := application_client(web))
    home = client.get("/")
    assert (home.status_code, "/redshift/" in home.text, "/compare" in home.text) == (200, False, False)
    assert "The warehouse is elsewhere" in home.text
    drawing(home.text)
    assert client.get("/compare").status_code == client.get("/redshift/ann").status_code == 404
    assert client.get("/readyz").json == {"ok": True, "databases": {"rds": True}}
    assert [service["service"] for service in client.get("/network.json").json["services"]][:2] == [
        "RDS",
        "Secrets Manager",
    ]
    list(clients)
