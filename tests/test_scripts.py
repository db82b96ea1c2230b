"""The scripts at the top level and the walkthrough's own: under dash, clean, honest about what they need."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP = ("create_stacks.sh", "update_stacks.sh", "teardown.sh")
SCRIPTS = [ROOT / name for name in TOP] + [ROOT / "aws_vpc" / name for name in TOP]
DASH = shutil.which("dash") or "/bin/sh"
# Answers for python: says what it was called with, and which password came by which way.
RECORDER = """#!/bin/sh
case $1 in -c) exit 0 ;; esac
printf '%s\\n' "$@"
printf 'password=%s\\n' "${AWS_VPC_MASTER_PASSWORD-}"
"""


def ids(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("script", SCRIPTS, ids=ids)
def test_help_is_the_header_and_needs_nothing(script, tmp_path):
    done = subprocess.run(
        [DASH, str(script), "--help"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")
    assert "#" not in done.stdout and "set -eu" not in done.stdout


@pytest.mark.parametrize("name", TOP)
def test_help_names_every_option_of_the_command(name):
    from aws_vpc import cli

    command = {"create_stacks.sh": "create", "update_stacks.sh": "update", "teardown.sh": "teardown"}[name]
    options = set(re.findall(r"--[a-z-]+", cli.parser(command).format_help())) - {"--help"}
    told = set(
        re.findall(
            r"--[a-z-]+", subprocess.run([DASH, ROOT / name, "-h"], capture_output=True, text=True).stdout
        )
    )
    assert told <= options
    assert options - told <= {"--repo-root"}


def test_shellcheck_finds_nothing():
    shellcheck = ROOT / ".venv" / "bin" / "shellcheck"
    if not shellcheck.exists():
        pytest.skip("shellcheck is not in .venv")
    names = [*map(str, SCRIPTS), str(ROOT / "aws_vpc" / "environment.sh")]
    done = subprocess.run([shellcheck, "-x", *names], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "" and done.returncode == 0


@pytest.fixture
def clone(tmp_path):
    """A repository in a folder with blanks whose .venv holds a python that only tells its arguments."""
    folder = tmp_path / "a clone" / "aws vpc"
    (folder / "aws_vpc").mkdir(parents=True)
    for script in [*SCRIPTS, ROOT / "aws_vpc" / "environment.sh"]:
        shutil.copy(script, folder / script.relative_to(ROOT))
    (folder / "requirements.txt").write_text("boto3\n")
    (folder / ".venv" / "bin").mkdir(parents=True)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(RECORDER)
    python.chmod(0o755)
    (folder / ".venv" / "requirements.stamp").write_text(f"{folder}\nboto3\n")
    return folder


def called(clone, script, *arguments, path="/usr/bin:/bin", **more):
    return subprocess.run(
        [DASH, str(clone / script), *arguments],
        capture_output=True,
        text=True,
        env={"PATH": path},
        cwd=clone.parent,
        **more,
    )


FORMS = [
    (["awsuser", "Passw0rd", "1.2.3.4/24", "."], ["awsuser", "-", "1.2.3.4/24", "."]),
    (
        ["awsuser", "Passw0rd", "1.2.3.4/24", "a b", "false", "false"],
        ["awsuser", "-", "1.2.3.4/24", "a b", "false", "false"],
    ),
    (
        ["--local", "--yes", "awsuser", "Passw0rd", "1.2.3.4", ".", "false"],
        ["--local", "--yes", "awsuser", "-", "1.2.3.4", ".", "false"],
    ),
    (
        ["--stack-name", "app", "awsuser", "Passw0rd", "1.2.3.4", ".", "--local"],
        ["--stack-name", "app", "awsuser", "-", "1.2.3.4", ".", "--local"],
    ),
    (
        ["awsuser", "--param", "A=b c", "Passw0rd", "1.2.3.4", "."],
        ["awsuser", "--param", "A=b c", "-", "1.2.3.4", "."],
    ),
]


@pytest.mark.parametrize("script", ["create_stacks.sh", "aws_vpc/create_stacks.sh"])
@pytest.mark.parametrize(("given", "handed_over"), FORMS)
def test_the_positional_form_hands_everything_over_but_the_password(clone, script, given, handed_over):
    done = called(clone, script, *given)
    assert done.stdout.splitlines() == ["-P", "-m", "aws_vpc", "create", *handed_over, "password=Passw0rd"]
    assert "process list" in done.stderr and "Passw0rd" not in done.stderr


def test_a_password_from_standard_input_needs_no_warning(clone):
    done = called(clone, "create_stacks.sh", "awsuser", "-", "1.2.3.4", ".")
    assert done.stdout.splitlines()[-1] == "password="
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("script", "arguments", "command"),
    [
        ("aws_vpc/update_stacks.sh", ["a b"], ["update", "a b"]),
        ("update_stacks.sh", ["--local"], ["update", "--local"]),
        ("aws_vpc/teardown.sh", [], ["teardown"]),
        ("teardown.sh", ["--local", "--yes"], ["teardown", "--local", "--yes"]),
        ("create_stacks.sh", ["--local"], ["create", "--local"]),
        ("create_stacks.sh", [], ["create"]),
    ],
)
def test_arguments_are_handed_over_as_they_are(clone, script, arguments, command):
    done = called(clone, script, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == ["-P", "-m", "aws_vpc", *command]


@pytest.fixture
def tools(tmp_path):
    """A folder for PATH with the tools that the scripts use, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "dirname", "cat", "chmod", "cmp", "head", "tail", "grep", "rm", "sed"):
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def interpreter(folder, name, minor, *, venv=True, pip="exit 0"):
    """A python of this minor version, with or without venv, whose environments have this pip."""
    inner = (
        f'#!/bin/sh\ncase $1 in -c) exit 0 ;; esac\ncase $3 in pip | install) {pip} ;; esac\necho ran "$@"\n'
    )
    path = folder / name
    path.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *version_info*) echo {minor} ;;\n'
        f"*ensurepip*) exit {0 if venv else 1} ;;\n"
        '*venv*) for last do :; done; /bin/mkdir -p "$last/bin"\n'
        f"/bin/cat >\"$last/bin/python\" <<'END'\n{inner}END\n"
        '/bin/chmod +x "$last/bin/python" ;;\nesac\n'
    )
    path.chmod(0o755)


@pytest.fixture
def bare(clone):
    shutil.rmtree(clone / ".venv")
    return clone


def test_without_any_python_one_line_says_so(bare, tools):
    done = called(bare, "teardown.sh", path=str(tools))
    assert done.returncode == 1
    assert done.stderr == (
        "teardown.sh: Python 3.11 or newer is needed and was not found; install it and run this again\n"
    )


def test_an_old_python_is_not_taken(bare, tools):
    interpreter(tools, "python3", 10)
    assert "Python 3.11 or newer is needed" in called(bare, "teardown.sh", path=str(tools)).stderr


def test_without_the_venv_module_the_package_is_named(bare, tools):
    interpreter(tools, "python3", 12, venv=False)
    done = called(bare, "teardown.sh", path=str(tools))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "teardown.sh: python3 has no venv module; on Debian and Ubuntu: apt-get install python3.12-venv"
    )


def test_the_newest_python_makes_the_environment_once(bare, tools):
    interpreter(tools, "python3", 11)
    interpreter(tools, "python3.13", 13)
    interpreter(tools, "python3.12", 12)
    first = called(bare, "teardown.sh", "--yes", path=str(tools))
    assert first.returncode == 0, first.stderr
    assert first.stdout == "ran -P -m aws_vpc teardown --yes\n"
    assert len(first.stderr.splitlines()) == 1 and "a minute or two, once" in first.stderr
    assert not (bare / ".venv.log").exists()
    assert called(bare, "teardown.sh", path=str(tools)).stderr == ""


def test_the_aws_command_runs_in_a_folder_with_blanks(bare, tools):
    interpreter(tools, "python3", 11)
    called(bare, "teardown.sh", path=str(tools))
    aws = subprocess.run([bare / ".venv" / "bin" / "aws", "s3", "a b"], capture_output=True, text=True)
    assert aws.stdout == "ran -P -m awscli s3 a b\n"


def test_changed_requirements_are_installed_again(bare, tools):
    interpreter(tools, "python3", 11)
    called(bare, "teardown.sh", path=str(tools))
    (bare / "requirements.txt").write_text("boto3\nrich\n")
    assert "installing what requirements.txt names" in called(bare, "teardown.sh", path=str(tools)).stderr
    assert called(bare, "teardown.sh", path=str(tools)).stderr == ""


def test_a_repository_that_has_moved_gets_a_new_environment(bare, tools):
    interpreter(tools, "python3", 11)
    called(bare, "teardown.sh", path=str(tools))
    moved = bare.rename(bare.parent / "moved")
    assert "installing" in called(moved, "teardown.sh", path=str(tools)).stderr
    assert called(moved, "teardown.sh", path=str(tools)).stderr == ""


def test_a_failing_pip_gives_its_last_error_and_the_next_run_starts_again(bare, tools):
    said = "echo trying; echo ERROR: no such package >&2; echo note: not a problem with pip >&2"
    interpreter(tools, "python3", 11, pip=f"{said}; exit 1")
    done = called(bare, "teardown.sh", path=str(tools))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "teardown.sh: installing requirements.txt failed: ERROR: no such package; all it said is in .venv.log"
    )
    assert not (bare / ".venv" / "requirements.stamp").exists()
    assert "not a problem with pip" in (bare / ".venv.log").read_text()


def test_scripts_can_be_run_directly_from_anywhere(tmp_path):
    for script in SCRIPTS:
        assert os.access(script, os.X_OK), script
    done = subprocess.run([str(ROOT / "teardown.sh"), "-h"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0
