"""The bundle's contracts: Procfile, CodeDeploy's appspec and hooks, the systemd unit, pinned packages."""

import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from embedded import reserved_port
from web_process import BESIDE_PYTHON, get, procfile, started, wait_for
from web_support import BUNDLE, DRIVER_WARNINGS, PROJECT, Web, running_web

web = pytest.fixture(running_web, scope="module")
pytestmark = DRIVER_WARNINGS

HOOKS = ["ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService"]
SCRIPTS = sorted(BUNDLE.glob("hooks/*.sh"))
BEANSTALK = sorted((BUNDLE / ".platform" / "hooks").rglob("*.sh"))


def test_the_procfile_starts_the_pages_and_they_answer(web: Web, tmp_path: Path) -> None:
    with started(tmp_path, {"WEB_CONCURRENCY": "2"}) as address:
        assert get(f"{address}/healthz") == (200, '{"ok":true}\n')
        assert get(f"{address}/readyz")[0] == 200
        assert "Strict-Transport-Security" not in headers(f"{address}/healthz")
        claimed = urllib.request.Request(f"{address}/healthz", headers={"X-Forwarded-Proto": "https"})
        with urllib.request.urlopen(claimed) as answer:
            assert "Strict-Transport-Security" not in answer.headers, "any client could say so"
        status, page = get(f"{address}/rds/ann@example.com")
        assert (status, "1 Main Street" in page) == (200, True)
        status, page = get(f"{address}/redshift/Bob@Example.com.json")
        assert (status, "Apt 4" in page) == (200, True)
        assert get(f"{address}/rds/{'x' * 3000}")[0] == 404
    log = (tmp_path / "web.log").read_text()
    assert '"event": "request"' in log
    assert "example.com" not in log.lower()
    assert not list(tmp_path.rglob("*.sock")) and not list(tmp_path.rglob("*.ctl"))


def test_a_balancer_ahead_says_what_is_tls(web: Web, tmp_path: Path) -> None:
    with started(tmp_path, {"WEB_TLS_AHEAD": "true"}) as address:
        balanced = urllib.request.Request(f"{address}/healthz", headers={"X-Forwarded-Proto": "https"})
        with urllib.request.urlopen(balanced) as answer:
            assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert "Strict-Transport-Security" not in headers(f"{address}/healthz")


REQUIRED = ("WEB_DATABASE_SECRET", "AWS_DEFAULT_REGION")


@pytest.mark.parametrize("missing", REQUIRED)
@pytest.mark.parametrize("command", [procfile(), ["flask", "--app", "application", "run", "--port", "1"]])
def test_a_missing_setting_is_named_in_one_line(command: list[str], missing: str) -> None:
    environment = dict.fromkeys(REQUIRED, "x") | BESIDE_PYTHON
    del environment[missing]
    ended = subprocess.run(command, cwd=BUNDLE, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode != 0
    assert re.fullmatch(rf"[Ee]rror: {missing} is not set: give it .*\n", ended.stderr)


def test_application_is_importable_and_is_all_there_is_to_it(web: Web) -> None:
    code = "from application import application; assert callable(application)"
    subprocess.run([sys.executable, "-c", code], cwd=BUNDLE, check=True, timeout=300)
    lines = (BUNDLE / "application.py").read_text().splitlines()
    assert lines[-1] == "application = create_app()"


def test_appspec_names_hooks_that_exist_and_can_be_run() -> None:
    appspec = yaml.safe_load((BUNDLE / "appspec.yml").read_text())
    assert (appspec["version"], appspec["os"]) == (0.0, "linux")
    assert list(appspec["hooks"]) == HOOKS
    named = [BUNDLE / step["location"] for steps in appspec["hooks"].values() for step in steps]
    assert sorted(named) == SCRIPTS
    assert all(os.access(path, os.X_OK) for path in named)


def test_elastic_beanstalk_fetches_the_certificates_where_libpq_looks() -> None:
    assert [path.parent.name for path in BEANSTALK] == ["prebuild"]
    assert all(os.access(path, os.X_OK) for path in BEANSTALK)
    place = re.search(r'setdefault\("PGSSLROOTCERT", "(\S+)"\)', (BUNDLE / "gunicorn.conf.py").read_text())
    assert place and f"mv {place[1]}.new {place[1]}" in BEANSTALK[0].read_text()


def test_beanstalk_is_told_what_gunicorn_listens_on() -> None:
    (config,) = (BUNDLE / ".ebextensions").glob("*.config")
    settings = yaml.safe_load(config.read_text())["option_settings"]
    assert settings["aws:elasticbeanstalk:environment:proxy"] == {"ProxyServer": "nginx"}
    environment = settings["aws:elasticbeanstalk:application:environment"]
    assert environment == {"BIND_ADDRESS": "127.0.0.1", "PORT": "8000"}


NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}
http {{
  access_log off; {temporary}
  include {bundle}/.platform/nginx/conf.d/*.conf;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{pages}; }}
    include {bundle}/.platform/nginx/conf.d/elasticbeanstalk/*.conf;
  }}
}}
"""
PLACES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def behind_nginx(folder: Path, pages: str) -> Iterator[str]:
    """The address of an nginx with the bundle's settings before a port."""
    temporary = " ".join(f"{place}_temp_path {folder}/{place};" for place in PLACES)
    words = {"folder": folder, "bundle": BUNDLE, "pages": pages, "temporary": temporary}
    argv = ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with reserved_port() as port:
        (folder / "nginx.conf").write_text(NGINX.format(**words, port=port))
        process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(300)


def headers(url: str) -> Any:
    """The headers of an answer, whatever its status."""
    try:
        with urllib.request.urlopen(url, timeout=300) as answer:
            return answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.headers


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_adds_headers_to_its_own_answers_and_keeps_those_of_the_pages(web: Web, tmp_path: Path) -> None:
    names = ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy")
    tmp_path.chmod(0o755)
    with reserved_port() as nobody, behind_nginx(tmp_path, str(nobody)) as address:
        alone = headers(f"{address}/")
    assert [len(alone.get_all(name, [])) for name in names] == [1, 1, 1, 1]
    with (
        started(tmp_path, {"WEB_CONCURRENCY": "1"}) as pages,
        behind_nginx(tmp_path, pages.rpartition(":")[2]) as proxy,
    ):
        behind = headers(f"{proxy}/healthz")
        assert behind.get_all("Content-Security-Policy") == headers(f"{pages}/healthz").get_all(
            "Content-Security-Policy"
        )
        assert [len(behind.get_all(name, [])) for name in names] == [1, 1, 1, 1]


@pytest.mark.parametrize("path", [*SCRIPTS, *BEANSTALK], ids=lambda path: path.name)
def test_hooks_are_posix_sh_without_a_complaint(path: Path) -> None:
    assert path.read_text().startswith("#!/bin/sh\n# ")
    assert "\nset -eu\n" in path.read_text()
    shellcheck = Path(sys.executable).parent / "shellcheck"
    checked = subprocess.run([shellcheck, path], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_unit_runs_the_procfiles_command_in_the_release() -> None:
    unit = (BUNDLE / "systemd" / "web.service").read_text()
    settings = dict(line.split("=", 1) for line in unit.splitlines() if re.match(r"\w+=", line))
    program, *arguments = shlex.split(settings["ExecStart"])
    assert [Path(program).name, *arguments] == procfile()
    destination = yaml.safe_load((BUNDLE / "appspec.yml").read_text())["files"][0]["destination"]
    assert settings["WorkingDirectory"] == destination
    assert settings["NoNewPrivileges"] == "yes"
    assert settings["ProtectSystem"] == "strict"
    assert settings["AmbientCapabilities"] == settings["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    hooks = "".join(path.read_text() for path in SCRIPTS)
    assert settings["EnvironmentFile"] in hooks and destination in hooks


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "web.service"
    # The program is not on this machine; everything else of the unit is as it is.
    text = (BUNDLE / "systemd" / "web.service").read_text()
    unit.write_text(text.replace("/opt/web/venv/bin/gunicorn", shutil.which("true") or "/bin/true"))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_packages_are_pinned_as_in_the_repository() -> None:
    def pins(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w\[\]-]+)==(\S+?)(?:;.*)?$", path.read_text(), re.MULTILINE))

    everywhere, bundle = pins(PROJECT / "requirements.txt"), pins(BUNDLE / "requirements.txt")
    drivers = {"psycopg2-binary", "redshift-connector"}
    assert set(bundle) == {"boto3", "flask", "gunicorn", "sqlalchemy"} | drivers
    assert {**everywhere, **bundle, **pins(BUNDLE / "requirements_dev.txt")} == everywhere


def test_the_stylesheet_is_the_one_that_was_published() -> None:
    static = BUNDLE / "web" / "static"
    digest = hashlib.sha256((static / "pico.min.css").read_bytes()).hexdigest()
    assert (static / "pico.min.css.sha256").read_text() == f"{digest}  pico.min.css\n"
    assert "MIT License" in (static / "pico.LICENSE.md").read_text()
