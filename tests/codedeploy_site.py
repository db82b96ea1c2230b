"""A site that CodeDeploy puts up: bundles as a release makes them, deployments, and the page they serve."""

from __future__ import annotations

import io
import socket
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from embedded import Embedded, until

from aws_vpc.commands.request import free_port

APPSPEC = """\
version: 0.0
os: linux
files:
  - source: /
    destination: /opt/web/release
hooks:
  ApplicationStop:
    - location: hooks/stop.sh
  BeforeInstall:
    - location: hooks/before.sh
      runas: root
  AfterInstall:
    - location: hooks/after.sh
  ApplicationStart:
    - location: hooks/start.sh
  ValidateService:
    - location: hooks/validate.sh
      timeout: 300
      runas: root
"""
# As a bundle's are: for root on a machine of its own, with nothing in them of a laptop.
SCRIPTS = {
    "stop.sh": "systemctl stop web.service\necho $DEPLOYMENT_ID >>/opt/web/stopped",
    "before.sh": """set -eu
type python3.13 >/dev/null 2>&1 || dnf install --assumeyes --quiet python3.13
id web >/dev/null 2>&1 || useradd --system --home-dir /opt/web web
rm -rf /opt/web/release
install -d -m 0755 /opt/web /etc/web""",
    "after.sh": """set -eu
python3.13 -m venv /opt/web/venv
install -m 0600 /opt/web/release/settings /etc/web/environment
install -m 0644 /opt/web/release/web.service /etc/systemd/system/web.service
systemctl daemon-reload
systemctl enable --quiet web.service""",
    "start.sh": "systemctl restart web.service",
    "validate.sh": """port=$(sed -n 's/^PORT=//p' /etc/web/environment)
if ! curl -fsS --max-time 60 "http://127.0.0.1:$port/healthz"; then
    journalctl --unit web.service --lines 5 >&2
    exit 1
fi""",
}
UNIT = """\
[Service]
Type=notify
User=web
WorkingDirectory=/opt/web/release
EnvironmentFile=/etc/web/environment
ExecStart=/opt/web/venv/bin/python serve.py
"""
SERVER = """\
import http.server, os, socket, sys
print("starting", flush=True)
{extra}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"{version} {{os.environ['COLOUR']}} {{os.environ['BIND_ADDRESS']}}".encode()
        self.send_response({status})
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer((os.environ["BIND_ADDRESS"], int(os.environ["PORT"])), Handler)
if "NOTIFY_SOCKET" in os.environ:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
server.serve_forever()
"""


class Site:
    """An application with a deployment group for one instance of its own."""

    def __init__(self, aws: Embedded, name: str) -> None:
        self.aws, self.name, self.api = aws, name, aws.client("codedeploy")
        self.port = free_port()
        self.api.create_application(applicationName=name)
        self.api.create_deployment_group(
            applicationName=name,
            deploymentGroupName="web",
            deploymentConfigName="CodeDeployDefault.AllAtOnce",
            serviceRoleArn="arn:aws:iam::123456789012:role/deploy",
            ec2TagFilters=[{"Key": "Name", "Value": name, "Type": "KEY_AND_VALUE"}],
            autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
        )

    def run_instance(self) -> str:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": self.name}]}]
        ec2 = self.aws.client("ec2")
        made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=tags)
        self.instance = str(made["Instances"][0]["InstanceId"])
        return self.instance

    def bundle(
        self, version: str, *, status: int = 200, extra: str = "", leave: str = "", **more: str
    ) -> dict[str, str]:
        files = {
            "appspec.yml": APPSPEC,
            "web.service": UNIT,
            "settings": f"COLOUR=blue\nPORT={self.port}\n",
            "serve.py": SERVER.format(version=version, status=status, extra=extra),
            **{f"hooks/{name}": f"#!/bin/sh\n{text}\n" for name, text in SCRIPTS.items()},
            **more,
        }
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for path, text in files.items():
                if path != leave:
                    archive.writestr(path, text)
        key = f"{self.name}/{version}.zip"
        self.aws.client("s3").put_object(Bucket="bundles", Key=key, Body=data.getvalue())
        return {"bucket": "bundles", "key": key, "bundleType": "zip"}

    def deploy(self, place: dict[str, str]) -> dict[str, Any]:
        made = self.api.create_deployment(
            applicationName=self.name,
            deploymentGroupName="web",
            revision={"revisionType": "S3", "s3Location": place},
        )
        return self.ended(made["deploymentId"])

    def ended(self, known: str) -> dict[str, Any]:
        over = ("Succeeded", "Failed", "Stopped")

        def look() -> Any:
            info = self.api.get_deployment(deploymentId=known)["deploymentInfo"]
            return info if info["status"] in over else None

        info = until(look)
        assert isinstance(info, dict)
        return info

    def file(self, path: str) -> Path:
        """Where a file of the instance's machine is."""
        return self.aws.folder / "run" / "instances" / self.instance / "machine" / "root" / path

    def rolled_back(self, info: dict[str, Any]) -> dict[str, Any]:
        """The deployment that a failed one has begun, at its end."""
        asked = {"deploymentId": info["deploymentId"]}
        told = until(lambda: self.api.get_deployment(**asked)["deploymentInfo"].get("rollbackInfo"))
        return self.ended(told["rollbackDeploymentId"])

    def events(self, info: dict[str, Any]) -> dict[str, dict[str, Any]]:
        target = self.api.get_deployment_target(deploymentId=info["deploymentId"], targetId=self.instance)
        return {
            e["lifecycleEventName"]: e
            for e in target["deploymentTarget"]["instanceTarget"]["lifecycleEvents"]
        }

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=300) as answer:
            return str(answer.read().decode())

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
