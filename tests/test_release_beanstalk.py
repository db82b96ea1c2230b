"""release web with Elastic Beanstalk: a good version comes up, a bad one is rolled back and said why."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deploy_bench import Run, aws, local, name, proxies, proxy, root, run

__all__ = ["aws", "local", "name", "proxies", "proxy", "root", "run"]

ROOT = """
Parameters:
  TemplateBaseUrl: {Type: String}
  ArtifactBucket: {Type: String}
  WebIngressCidr: {Type: String}
  WebTier: {Type: String, Default: beanstalk}
  WebBundle: {Type: String, Default: ''}
  PlatformArn: {Type: String, Default: ''}
Resources:
  NestedElasticBeanstalkStack:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !Sub ${TemplateBaseUrl}/elastic-beanstalk.yaml
      Parameters:
        {ArtifactBucket: !Ref ArtifactBucket, WebBundle: !Ref WebBundle, PlatformArn: !Ref PlatformArn}
"""
BEANSTALK = """
Parameters:
  ArtifactBucket: {Type: String}
  WebBundle: {Type: String}
  PlatformArn: {Type: String}
Resources:
  WebApplication:
    Type: AWS::ElasticBeanstalk::Application
  WebVersion:
    Type: AWS::ElasticBeanstalk::ApplicationVersion
    Properties:
      ApplicationName: !Ref WebApplication
      SourceBundle: {S3Bucket: !Ref ArtifactBucket, S3Key: !Ref WebBundle}
  WebEnvironment:
    Type: AWS::ElasticBeanstalk::Environment
    Properties:
      {ApplicationName: !Ref WebApplication, VersionLabel: !Ref WebVersion, PlatformArn: !Ref PlatformArn}
Outputs:
  WebEnvironment: {Value: !Ref WebEnvironment}
  WebUrl: {Value: !Sub 'http://${WebEnvironment.EndpointURL}'}
"""
SERVER = """
import http.server, os
{first}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{version}")
    def log_message(self, *_):
        pass
http.server.HTTPServer((os.environ["BIND_ADDRESS"], int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def serve(root: Path) -> Callable[..., None]:
    """Makes the pages of the repository root answer with a version, or end at once."""
    for file, text in {"nested-stack.yaml": ROOT, "elastic-beanstalk.yaml": BEANSTALK}.items():
        (root / "templates" / file).write_text(text)

    def serve(version: str, first: str = "") -> None:
        (root / "eb-flask" / "Procfile").write_text("web: python serve.py\n")
        (root / "eb-flask" / "serve.py").write_text(SERVER.format(version=version, first=first))

    return serve


def release(run: Run, *words: str) -> tuple[int, dict[str, Any], str]:
    status, out, err = run("release", "web", "--yes", "--json", *words)
    return status, dict(json.loads(out)), err


def test_a_good_version_comes_up_and_a_bad_one_is_rolled_back(run: Run, serve: Any, name: str) -> None:
    serve("one")
    status, _, err = run("create", "--skip-checks")
    assert status == 0, err
    status, told, _ = release(run)
    assert (status, told["action"]) == (0, "unchanged")
    (address,) = told["web"]

    serve("two")
    status, told, err = release(run)
    assert (status, told["action"]) == (0, "released"), err
    assert "Ready Green" in err and page(address) == "two"

    serve("three", first="raise SystemExit('no such colour')")
    status, told, err = release(run)
    assert status == 1 and "UPDATE_ROLLBACK_COMPLETE" in told["error"], err
    assert "no such colour" in told["error"] and "mend the application" in told["error"]
    assert "everything is as before" in told["error"]
    assert page(address) == "two"
    assert run("teardown", "--yes")[0] == 0


def page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=300) as answer:
        return str(answer.read().decode())
