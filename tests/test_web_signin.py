"""Sign-in: over TLS only, by hashed passwords in a secret, quick for those who are in, slow to be guessed."""

import base64
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from web import secrets, settings, signin
from web_support import DRIVER_WARNINGS, Web, application_client, running_web
from werkzeug.security import generate_password_hash

web = pytest.fixture(running_web, scope="module")
pytestmark = DRIVER_WARNINGS
QUICK = "scrypt:1024:8:1"
USERS = {"ann": generate_password_hash("right: ü", QUICK), "bob": generate_password_hash("b", QUICK)}


@pytest.fixture(scope="module")
def client(web: Web) -> Iterator[Any]:
    """A client of pages that ask for a password."""
    name = f"users-{uuid.uuid4()}"
    arn = web.secrets.create_secret(Name=name, SecretString=json.dumps(USERS))["ARN"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEB_AUTH", "basic")
        patch.setenv("WEB_AUTH_SECRET", arn)
        yield from application_client(web)


def ask(client: Any, address: str, name: str = "", password: str = "", scheme: str = "https") -> Any:
    """The answer, with a name and a password if given."""
    given = base64.b64encode(f"{name}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {given}"} if name else {}
    return client.get(address, headers=headers, base_url=f"{scheme}://localhost")


@pytest.mark.parametrize(
    "address", ["/", "/rds/ann", "/rds/people.csv", "/loads", "/readyz", "/no/such", "/.json"]
)
def test_nothing_is_shown_without_a_password(client: Any, address: str) -> None:
    answer = ask(client, address)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="People", charset="UTF-8"'
    assert ask(client, address, "ann", "wrong").status_code == 401
    assert ask(client, address, "carl", "b").status_code == 401


def test_the_right_password_opens_the_pages_and_sets_no_cookie(client: Any) -> None:
    for name, password in (("ann", "right: ü"), ("bob", "b")):
        answer = ask(client, "/rds/ann@example.com", name, password)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_without_tls_a_password_is_neither_asked_for_nor_taken(client: Any) -> None:
    for name in ("", "ann"):
        answer = ask(client, "/", name, "right: ü", scheme="http")
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (403, False)
        assert "over HTTPS only" in answer.text


def test_health_and_the_stylesheet_need_no_password(client: Any) -> None:
    assert ask(client, "/healthz", scheme="http").status_code == 200
    with ask(client, "/static/style.css") as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "header", ["Basic", "Basic %%%", "Basic YQ==", "Bearer x", "Digest username=ann", "Basic /w=="]
)
def test_a_malformed_header_is_no_password(client: Any, header: str) -> None:
    answer = client.get("/", headers={"Authorization": header}, base_url="https://pages")
    assert answer.status_code == 401


class Clock:
    """A clock that tests turn, and a secret that counts how often it is read."""

    def __init__(self) -> None:
        self.now, self.read, self.users = 1000.0, 0, dict(USERS)

    def fetch(self) -> str:
        """The secret's text."""
        self.read += 1
        return json.dumps(self.users)

    def sign_in(self) -> signin.SignIn:
        """A sign-in by this clock."""
        tell = lambda: self.now  # noqa: E731
        return signin.SignIn(secrets.Secret(self.fetch, tell, parse=signin.parse), tell)


def test_ten_wrong_passwords_close_a_name_for_a_minute_but_not_for_who_is_in() -> None:
    clock = Clock()
    sign_in = clock.sign_in()
    assert sign_in.lets_in("ann", "right: ü")
    for _ in range(10):
        assert not sign_in.lets_in("ann", "guess")
    with pytest.raises(signin.TooMany):
        sign_in.lets_in("ann", "another guess")
    assert sign_in.lets_in("ann", "right: ü") and sign_in.lets_in("bob", "b")
    clock.now += 61
    assert not sign_in.lets_in("ann", "another guess")


def test_who_is_taken_out_of_the_secret_is_out_within_a_minute() -> None:
    clock = Clock()
    sign_in = clock.sign_in()
    assert sign_in.lets_in("ann", "right: ü")
    del clock.users["ann"]
    assert sign_in.lets_in("ann", "right: ü") and clock.read == 1
    clock.now += 61
    assert not sign_in.lets_in("ann", "right: ü")


def test_a_name_that_the_secret_lacks_is_checked_like_one_that_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked = []
    monkeypatch.setattr(signin, "check_password_hash", lambda hashed, password: bool(checked.append(hashed)))
    Clock().sign_in().lets_in("nobody", "x")
    assert len(checked) == 1 and checked[0].startswith("scrypt:32768")


@pytest.mark.parametrize("text", ["", "[]", '{"ann": 1}', "null"])
def test_a_malformed_secret_is_said_without_quoting_it(text: str) -> None:
    with pytest.raises(secrets.SecretMalformed):
        signin.parse(text)


def test_a_secret_that_cannot_be_read_lets_nobody_in(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_AUTH", "basic")
    monkeypatch.setenv("WEB_AUTH_SECRET", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:none")
    client = next(clients := application_client(web))
    answer = ask(client, "/", "ann", "right: ü")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    list(clients)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"WEB_AUTH": "basic"}, "WEB_AUTH_SECRET"),
        ({"WEB_AUTH": "digest"}, "WEB_AUTH"),
        ({"WEB_UPLOAD": "true"}, "WEB_DATA_BUCKET"),
        ({"WEB_UPLOAD": "yes"}, "WEB_UPLOAD"),
        (
            {"WEB_UPLOAD": "true", "WEB_DATA_BUCKET": "b", "WEB_UPLOAD_FOLDER": "/no/such"},
            "WEB_UPLOAD_FOLDER",
        ),
        ({"WEB_UPLOAD_MEGABYTES": "0"}, "WEB_UPLOAD_MEGABYTES"),
    ],
)
def test_settings_that_make_no_sense_are_named(given: dict[str, str], names: str) -> None:
    with pytest.raises(settings.SettingsError, match=f"^{names} is "):
        settings.read({**dict.fromkeys(settings.REQUIRED, "x"), **given})
