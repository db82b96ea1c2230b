"""The command line: what it refuses before anything is touched, in one line, with which exit status."""

import io
import json
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from aws_vpc import aws, cli
from aws_vpc.commands import local, request
from aws_vpc.commands.console import Console
from aws_vpc.errors import Error, Refused

ROOT = Path(__file__).parent.parent
GOOD = ["awsuser", "Passw0rd", "203.0.113.7/24", str(ROOT)]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No account, no Region, no embedded AWS: whatever is reached for fails."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_VPC_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


WRONG = [
    ([], "required: COMMAND"),
    (["crate"], "invalid choice: 'crate'"),
    (["create", "--nonsense"], "unrecognized arguments: --nonsense"),
    (["create"], "address that may open the web page is missing"),
    (["create", "awsuser"], "1 positional arguments; the form is create_stacks.sh USERNAME PASSWORD"),
    (["create", *GOOD, "true", "true", "more"], "7 positional arguments"),
    (["create", "Admin", *GOOD[1:]], "master user name 'Admin'"),
    (["create", "awsuser", "short", *GOOD[2:]], "the master password has 5 characters"),
    (["create", *GOOD[:2], "203.0.113.7/99", GOOD[3]], "'203.0.113.7/99' is not an address"),
    (["create", *GOOD[:3], "/nonexistent"], "REPO-ROOT '/nonexistent' has no folder templates"),
    (["create", *GOOD, "maybe"], "NAT is 'maybe'; give true or false"),
    (["create", *GOOD, "true", "no"], "ELASTIC-IP is 'no'"),
    (["create", "--param", "WebIngressCidr"], "not of the form NAME=VALUE"),
    (["create", *GOOD, "--param", "Natgateway=true"], "no parameter Natgateway; did you mean NatGateway?"),
    (["create", *GOOD, "--param", "TemplateBaseUrl=x"], "no parameter TemplateBaseUrl"),
    (["create", *GOOD, "--param", "NatGateway=maybe"], "--param NatGateway=maybe: "),
    (["create", *GOOD, "--param", "VpcCidr=10.0.0.0"], "--param VpcCidr=10.0.0.0: "),
    (["create", *GOOD, "--params", "/nonexistent.yaml"], "parameter file /nonexistent.yaml: No such file"),
    (["create", *GOOD, "--stack-name", "no_underscores"], "stack name 'no_underscores' is not valid"),
    (["create", *GOOD, "--bucket", "No.Bucket"], "bucket name 'No.Bucket' is not valid"),
    (["create", *GOOD, "--tags", "Team"], "--tags 'Team' is not NAME=VALUE"),
    (["create", *GOOD, "--tags", "a=1,a=2"], "--tags 'a=2': a has the value '1' already; give one"),
    (["teardown", "--role-arn", "admin"], "--role-arn 'admin' is not the ARN of a role"),
    (["create", *GOOD, "--tags", "aws:x=1"], "names that begin with aws: are AWS's own"),
    (["create", *GOOD, "--stack-policy", "/nonexistent"], "stack policy /nonexistent: No such file"),
    (["create", *GOOD, "--region", "eu-west-1", "--expect-account", "12"], "is not an account id of twelve"),
    (["connect", "database", "--local-port", "http"], "port 'http' is not a number from 1 to 65535"),
    (["release", "rockets"], "invalid choice: 'rockets'"),
    (["create", *GOOD], "no Region: give --region"),
    (["create", *GOOD, "--region", "eu-mars-1"], "Region 'eu-mars-1' does not exist"),
    (["create", *GOOD, "--profile", "nobody"], "profile 'nobody' is not in the AWS configuration"),
    (["create", *GOOD, "--timeout", "soon"], "argument --timeout: 'soon' is no number of minutes"),
    (["load", "people.csv", "--max-rejected", "few"], "--max-rejected few is neither a number of rows"),
    (["load", "people.csv", "--split-over", "much"], "'much' is no size: give bytes, or such as 512MiB"),
    (["status", "--timeout", "-5"], "argument --timeout: '-5' is no number of minutes"),
    (
        ["validate", "/nonexistent.yaml"],
        "template /nonexistent.yaml: No such file or directory; name the file",
    ),
    (["validate", "/dev"], "template /dev: Is a directory; name the file"),
    (
        ["reach", "internet", "Database", "--param", "Nat=true"],
        "nested-stack.yaml has no parameter Nat; it has",
    ),
    (["reach", "internet", "Database", "--param", "NatGatway=true"], "did you mean NatGateway?"),
    (["check", "--param", "Interconnect=weird"], "--param Interconnect=weird: "),
    (["reach", "300.1.1.1", "Database"], "'300.1.1.1' is no address and no block"),
    (["reach", "2001:db8::/129", "Database"], "'2001:db8::/129' is no address and no block"),
    (
        ["reach", "internet", "Database", "--protocol", "icmp", "--port", "8"],
        "ports go with tcp and udp, not with icmp; leave them out",
    ),
    (["create", "--local", "--repo-root", "/nonexistent"], "--repo-root /nonexistent: there is no folder"),
    (["diff", str(ROOT / "README.rst"), "templates"], "README.rst is no template"),
    (["create", "--stack", "app", *GOOD], "unrecognized arguments: --stack"),
    (["local", "dance"], "invalid choice: 'dance'"),
    (["local", "logs", "nothing"], "there is no log 'nothing'"),
]


@pytest.mark.parametrize(("line", "reason"), WRONG, ids=[" ".join(line)[:60] for line, _ in WRONG])
def test_wrong_usage_is_one_line_and_exit_status_2(line, reason, capsys):
    assert cli.main(line) == 2
    told = [one for one in capsys.readouterr().err.splitlines() if not one.startswith("note: ")]
    assert len(told) == 1 and told[0].startswith("aws-vpc: ") and reason in told[0]


FAILS = [
    (["create", *GOOD, "--region", "eu-west-1"], 1, "no AWS credentials found"),
    (["update", "--local"], 1, "the embedded AWS does not run"),
    (["local", "env"], 1, "the embedded AWS does not run"),
]


@pytest.mark.parametrize(("line", "status", "reason"), FAILS)
def test_what_cannot_be_done_is_one_line_and_exit_status_1(line, status, reason, capsys):
    assert cli.main(line) == status
    assert reason in capsys.readouterr().err.splitlines()[-1]


def test_a_teardown_of_nothing_says_so_and_is_done(capsys):
    assert cli.main(["teardown", "--local"]) == 0
    assert capsys.readouterr().out == "the embedded AWS does not run: nothing to tear down\n"


def test_local_status_of_nothing_is_3(capsys):
    assert cli.main(["local", "status", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["endpoint"] is None


def test_an_endpoint_that_is_no_address_is_wrong_usage(monkeypatch, capsys):
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "ENDPOINT_URL": "nonsense"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    assert cli.main(["status", "--region", "us-west-2"]) == 2
    assert "Invalid endpoint: nonsense; give http://HOST:PORT" in capsys.readouterr().err


def test_a_locale_that_lacks_a_character_shows_a_question_mark(monkeypatch, tmp_path):
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    assert cli.main(["map", str(tmp_path / "n\N{LATIN SMALL LETTER A WITH DIAERESIS}tz.svg")]) == 0
    assert b"n?tz.svg written" in written.getvalue()


def test_local_status_has_a_line_for_each_stack_and_leaves_out_what_is_not_known():
    nowhere = {"host": None, "port": None, "database": None, "up": False, "rows": None, "version": None}
    there = {"host": "localhost", "port": 5432, "database": "people", "up": True, "rows": None}
    found = {"endpoint": "http://127.0.0.1:1", "web": None, "bucket": None, "kept": False, "pids": {}}
    found |= {"rds": there, "redshift": nowhere, "stacks": {"a": "CREATE_COMPLETE", "b": "DELETE_FAILED"}}
    assert local.status_lines(found | {"regions": {"eu-west-1": {"c": "CREATE_COMPLETE"}}}) == [
        "endpoint   http://127.0.0.1:1",
        "web        none",
        "bucket     none",
        "kept       no",
        "rds        host localhost, port 5432, database people, up True",
        "redshift   none",
        "stacks     a CREATE_COMPLETE",
        "           b DELETE_FAILED",
        "eu-west-1  c CREATE_COMPLETE",
    ]


@pytest.mark.parametrize("command", [[], *([name] for name in cli.COMMANDS)])
def test_every_command_tells_its_usage_and_its_exit_statuses(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0 and told.startswith("usage: aws-vpc")
    assert all(f"{status} " in told.split("Exit status: ")[1] for status in (0, 1, 2, 3, 130))


def test_local_stop_and_logs_of_nothing_are_done(capsys):
    assert cli.main(["local", "stop"]) == 0
    assert cli.main(["local", "logs"]) == 0
    assert capsys.readouterr().out == "the embedded AWS does not run: nothing to stop\nno logs yet\n"


def test_a_template_that_does_not_parse_is_named_before_anything_is_reached(tmp_path, capsys):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "nested-stack.yaml").write_text("Resources: [")
    assert cli.main(["create", "--local", "--repo-root", str(tmp_path)]) == 1
    assert "template nested-stack.yaml: Template format error" in capsys.readouterr().err


def test_help_tells_the_exit_statuses_and_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert cli.EXIT in told
    assert all(command in told for command in cli.COMMANDS)


def test_an_error_is_json_too_when_json_is_asked_for(capsys):
    assert cli.main(["update", "--local", "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out) == {
        "schema": 1,
        "action": "failed",
        "error": "the embedded AWS does not run; ./create_stacks.sh --local starts it",
        "exit_status": 1,
    }


def test_debug_lets_the_traceback_through():
    with pytest.raises(Error):
        cli.main(["update", "--local", "--debug"])


def test_an_interrupt_says_that_what_has_begun_goes_on(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", interrupted)
    assert cli.main(["status"]) == 130
    assert "goes on" in capsys.readouterr().err


def test_words_and_options_may_come_in_any_order():
    first = cli.parse(["create", "--local", "u", "p", "--yes", "a", "r", "false"])
    assert first.words == ["u", "p", "a", "r", "false"] and first.local and first.yes
    assert cli.parse(["create", "u", "-", "a", "r"]).words[1] == "-"
    assert cli.parse(["update", "--local", "a b"]).repo_root == "a b"


def requested(*words, **more):
    return request.requested(cli.parse(["create", *words]), Console(quiet=True))


def test_the_positional_form_becomes_parameters_and_a_master_user(capsys):
    found = requested(*GOOD)
    assert found.given == {"WebIngressCidr": "203.0.113.0/24", "NatGateway": "true", "ElasticIp": "true"}
    assert (found.username, found.password) == ("awsuser", "Passw0rd")
    told = capsys.readouterr().err
    assert "means 203.0.113.0/24" in told and "process list" in told and "Passw0rd" not in told


def test_switches_of_the_positional_form_and_param_win_in_this_order(tmp_path):
    (tmp_path / "p.json").write_text('{"NatGateway": true, "WebPort": 81}')
    found = requested(*GOOD, "false", "false", "--params", str(tmp_path / "p.json"), "--param", "WebPort=82")
    assert found.given == {
        "WebIngressCidr": "203.0.113.0/24",
        "NatGateway": "true",
        "ElasticIp": "false",
        "WebPort": "82",
    }


def test_a_password_comes_from_the_environment_once_or_from_standard_input(monkeypatch):
    import io
    import os

    words = ["awsuser", "-", *GOOD[2:]]
    monkeypatch.setenv(request.PASSWORD, "Passw0rd2")
    assert requested(*words).password == "Passw0rd2"
    assert request.PASSWORD not in os.environ
    monkeypatch.setattr("sys.stdin", io.StringIO("Passw0rd3\n"))
    assert requested(*words).password == "Passw0rd3"


def test_local_gives_a_first_create_a_free_port_and_nobody_else_the_page():
    found = requested("--local")
    assert found.given == {}
    assert found.defaults["WebIngressCidr"] == "127.0.0.1/32"
    assert 1024 < int(found.defaults["WebPort"]) < 65536
    assert requested(*GOOD).defaults == {}


QUESTIONS = [
    # yes, terminal, answer, destroys, outcome
    (True, False, "", True, "goes on"),
    (False, False, "", False, "goes on"),
    (False, False, "", True, "refused"),
    (False, True, "y", True, "goes on"),
    (False, True, "yes", False, "goes on"),
    (False, True, "n", False, "refused"),
    (False, True, "", True, "refused"),
]


@pytest.mark.parametrize(("yes", "terminal", "answer", "destroys", "outcome"), QUESTIONS)
def test_a_question_is_asked_only_at_a_terminal_without_yes(
    yes, terminal, answer, destroys, outcome, monkeypatch
):
    console = Console(yes=yes)
    monkeypatch.setattr(Console, "asks", terminal)
    monkeypatch.setattr(Console, "read", lambda *_: answer)
    if outcome == "goes on":
        console.confirm("Sure?", destroys=destroys)
    else:
        with pytest.raises(Refused):
            console.confirm("Sure?", destroys=destroys)


@pytest.mark.parametrize(("answer", "outcome"), [("app", "goes on"), ("y", "refused"), ("", "refused")])
def test_a_deletion_wants_the_name_typed(answer, outcome, monkeypatch):
    monkeypatch.setattr(Console, "asks", True)
    monkeypatch.setattr(Console, "read", lambda *_: answer)
    if outcome == "goes on":
        Console().confirm_name("Delete?", "app")
    else:
        with pytest.raises(Refused):
            Console().confirm_name("Delete?", "app")


SENTENCES = [
    (ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "X"), "credentials have expired"),
    (ClientError({"Error": {"Code": "InvalidClientTokenId", "Message": "no"}}, "X"), "does not accept"),
    (
        ClientError({"Error": {"Code": "ValidationError", "Message": "bad\nthing"}}, "CreateStack"),
        "CreateStack was refused (ValidationError): bad thing",
    ),
    (EndpointConnectionError(endpoint_url="https://sts.nowhere"), "no answer from https://sts.nowhere"),
]


@pytest.mark.parametrize(("error", "text"), SENTENCES)
def test_an_answer_of_aws_becomes_one_line(error, text):
    assert text in cli.sentence(error) and "\n" not in cli.sentence(error)


@pytest.mark.parametrize(
    ("code", "began", "until", "waits"),
    [
        ("Throttling", 0, 60, True),
        ("Throttling", -aws.PATIENCE_SECONDS - 1, 60, False),
        ("Throttling", 0, -1, False),
        ("AccessDenied", 0, 60, False),
    ],
)
def test_throttling_is_waited_out_while_there_is_patience(code, began, until, waits):
    now = time.monotonic()
    request = {"context": {"first_sent": now + began}}
    found = aws.pause(now + until, (None, {"Error": {"Code": code}}), 3, request)
    assert (found is not None) is waits
    assert found is None or 0 < found <= aws.LONGEST_PAUSE_SECONDS
