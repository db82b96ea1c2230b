"""A release is made when bundle, settings or servers differ; it is followed to its end, failure explained."""

import http.server
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from aws_vpc import release
from aws_vpc.commands import finish
from aws_vpc.errors import DeployFailed
from aws_vpc.wait import Wait

TARGET = release.Target("app", "group", "bucket", "web/1.zip")
WORDS = release.description(TARGET, "PORT=80", ["i-1"])


def clock(deadline=100.0):
    time = [0.0]
    return Wait(deadline, now=lambda: time[0], sleep=lambda seconds: time.__setitem__(0, time[0] + seconds))


class CodeDeploy:
    """Deployments with their statuses; the ones being looked at go on to the next status given."""

    def __init__(self, *made, statuses=("Succeeded",), events=()):
        self.made = {f"d-{number}": info for number, info in enumerate(made)}
        self.statuses, self.events = list(statuses), list(events)

    def list_deployments(self, applicationName, deploymentGroupName):
        return {"deployments": list(self.made)}

    def batch_get_deployments(self, deploymentIds):
        found = [{"deploymentId": one, **self.made[one]} for one in deploymentIds]
        return {"deploymentsInfo": found}

    def get_deployment(self, deploymentId):
        info = self.made[deploymentId]
        if info["status"] not in release.OVER:
            info["status"] = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"deploymentInfo": {"deploymentId": deploymentId, **info}}

    def create_deployment(self, **request):
        self.made["d-new"] = deployment("Created", request["description"], hours=9)
        self.request = request
        return {"deploymentId": "d-new"}

    def list_deployment_targets(self, deploymentId):
        return {"targetIds": ["i-1"]}

    def batch_get_deployment_targets(self, deploymentId, targetIds):
        instance = {"targetId": "i-1", "lifecycleEvents": self.events}
        return {"deploymentTargets": [{"instanceTarget": instance}]}


def deployment(status, description, hours=0, **more):
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    return {"status": status, "description": description, "createTime": created, **more}


def test_words_differ_with_bundle_settings_and_servers():
    others = [
        release.description(release.Target("app", "group", "bucket", "web/2.zip"), "PORT=80", ["i-1"]),
        release.description(TARGET, "PORT=81", ["i-1"]),
        release.description(TARGET, "PORT=80", ["i-2"]),
    ]
    assert len({WORDS, *others}) == 4
    assert "PORT" not in WORDS


DUE = [
    ([], True),
    ([deployment("Succeeded", WORDS)], False),
    ([deployment("Succeeded", "other")], True),
    ([deployment("Succeeded", WORDS, hours=1), deployment("Succeeded", "other", hours=2)], True),
    ([deployment("Succeeded", "other", hours=1), deployment("Succeeded", WORDS, hours=2)], False),
    ([deployment("Failed", WORDS, hours=3)], True),
    ([deployment("InProgress", WORDS)], False),
]


@pytest.mark.parametrize(("made", "due"), DUE)
def test_a_release_is_due_unless_the_last_one_that_succeeded_was_the_same(made, due):
    assert release.due(CodeDeploy(*map(dict, made)), TARGET, WORDS, clock(), lambda _: None) is due


def test_a_release_is_followed_to_its_end():
    codedeploy, said = CodeDeploy(statuses=["Queued", "InProgress", "InProgress", "Succeeded"]), []
    assert release.release(codedeploy, TARGET, WORDS, clock(), said.append) == "d-new"
    assert said == [f"deployment d-new {status}" for status in ("Queued", "InProgress", "Succeeded")]
    assert codedeploy.request["revision"]["s3Location"] == {
        "bucket": "bucket",
        "key": "web/1.zip",
        "bundleType": "zip",
    }


def test_a_failed_release_names_step_server_and_the_last_line_of_its_log():
    event = {"lifecycleEventName": "ApplicationStart", "status": "Failed"}
    event["diagnostics"] = {"logTail": "starting\nport 80 is in use\n"}
    codedeploy = CodeDeploy(statuses=["Failed"], events=[event])
    with pytest.raises(DeployFailed, match="is Failed: ApplicationStart on i-1: port 80 is in use"):
        release.release(codedeploy, TARGET, WORDS, clock(), lambda _: None)


def test_a_release_without_servers_gives_codedeploy_s_own_words():
    codedeploy = CodeDeploy(
        deployment("Created", WORDS, errorInformation={"code": "NO_INSTANCES", "message": "none found"}),
        statuses=["Failed"],
    )
    with pytest.raises(DeployFailed, match="NO_INSTANCES none found"):
        release.due(codedeploy, TARGET, WORDS, clock(), lambda _: None)


@pytest.fixture
def server():
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/.json" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"databases": {}}).encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def test_the_page_tells_of_itself_and_a_closed_one_is_none(server):
    assert release.page(server) == {"databases": {}}
    assert release.page(f"{server}/missing") is None
    assert release.page("http://127.0.0.1:1") is None


def test_a_page_is_asked_again_while_one_of_its_databases_is_away(monkeypatch):
    away, up = ({"databases": {"rds": {"up": True}, "redshift": {"up": one}}} for one in (False, True))
    for answers, wanted in (([away, away, up], up), ([away] * 6, away), ([None], None), ([up], up)):
        left, slept = iter(answers), []
        monkeypatch.setattr(release, "page", lambda _, left=left: next(left))
        assert release.settled_page("http://127.0.0.1:1", sleep=slept.append) is wanted
        assert list(left) == [] and len(slept) == len(answers) - 1


def test_a_database_that_is_away_is_told_instead_of_its_rows():
    page = {
        "databases": {
            "rds": {"up": False, "sentence": "RDS is away.", "rows": None},
            "redshift": {"up": True, "sentence": None, "rows": 5},
        }
    }
    assert finish.away(page) == {"rds": "RDS is away."}
    assert finish.page_rows(page) == {"redshift": {"rows": 5}}
    assert finish.away(None) == {}


def test_a_failed_release_is_followed_back_to_the_last_version():
    back = {"rollbackInfo": {"rollbackDeploymentId": "d-back"}}
    codedeploy = CodeDeploy(statuses=["InProgress", "Failed", "InProgress", "Succeeded"])
    codedeploy.made["d-back"] = deployment("Created", "the last version", hours=10)
    codedeploy.made["d-bad"] = deployment("Created", WORDS, hours=9, **back)
    told = []
    with pytest.raises(DeployFailed, match=r"d-bad .* is Failed: .*; deployment d-back, .* is Succeeded"):
        release.succeed(codedeploy, "d-bad", clock(), told.append)
    assert told == [
        "deployment d-bad InProgress",
        "deployment d-bad Failed",
        "rollback d-back InProgress",
        "rollback d-back Succeeded",
    ]
