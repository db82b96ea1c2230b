"""The permissions of an AppSpec file: which files they concern, the modes that they set, what is refused."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aws_vpc.errors import LocalError
from aws_vpc.local.codedeploy_permissions import Permission, apply, read
from aws_vpc.local.machine import Machine

FILES = ("opt/app/run.sh", "opt/app/notes.txt", "opt/app/lib/deep.sh", "opt/other/run.sh")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    world: Any = SimpleNamespace(root=tmp_path)
    return Machine(world, "i-1", "eu-west-1")


@pytest.mark.parametrize(
    ("permission", "files", "folders"),
    [
        (Permission("/opt/app"), FILES[:3], ("opt/app/lib",)),
        (Permission("/opt/app", types=("file",)), FILES[:3], ()),
        (Permission("/opt/app/", types=("directory",)), (), ("opt/app/lib",)),
        (Permission("/opt/app", "*.sh"), ("opt/app/run.sh",), ()),
        (Permission("/opt/app", "lib/*.sh"), ("opt/app/lib/deep.sh",), ()),
        (Permission("/opt/app", exceptions=("*.txt", "/opt/app/run.sh")), FILES[2:3], ("opt/app/lib",)),
        (Permission("/opt/app/notes.txt"), ("opt/app/notes.txt",), ()),
        (Permission("/opt"), FILES, ("opt/app", "opt/app/lib", "opt/other")),
        (Permission("/srv"), (), ()),
    ],
)
def test_a_permission_concerns_what_its_page_says(
    permission: Permission, files: tuple[str, ...], folders: tuple[str, ...]
) -> None:
    assert tuple(name for name in FILES if permission.concerns(f"/{name}", "file")) == files
    known = ("opt", "opt/app", "opt/app/lib", "opt/other")
    assert tuple(name for name in known if permission.concerns(f"/{name}", "directory")) == folders


def test_modes_are_set_on_what_was_installed_alone(machine: Machine) -> None:
    paths = [machine.root / name for name in FILES]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        path.chmod(0o644)
    section = [
        {"object": "/opt/app", "owner": "root", "group": "web", "mode": 4750, "type": ["file"]},
        {"object": "/opt/app", "mode": "0050", "type": ["directory"]},
        {"object": "/opt/app/notes.txt", "mode": 440},
    ]
    (machine.folder / "users").write_text("web\n")
    apply(read(section), machine, [paths[0], paths[1], paths[2]])
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o4750, 0o440, 0o4750, 0o644]
    assert stat.S_IMODE(paths[2].parent.stat().st_mode) == 0o750  # with what its owner needs


def test_a_user_has_to_be_known_on_the_machine(machine: Machine) -> None:
    machine.folder.mkdir(parents=True)
    with pytest.raises(LocalError, match="can't find user for web"):
        apply(read([{"object": "/opt", "owner": "web"}]), machine, [])


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"object": "/opt"}, "not a list"),
        ([{"mode": 644}], "without an object"),
        ([{"object": "/opt", "modus": 644}], "unknown modus"),
        ([{"object": "/opt", "mode": 648}], "mode 648 for /opt"),
        ([{"object": "/opt", "type": ["link"]}], "unknown type"),
        ([{"object": "/opt", "acls": ["u:web:rw"]}], "acls .* are not modelled"),
        ([{"object": "/opt", "context": {"type": "x"}}], "context .* are not modelled"),
    ],
)
def test_a_permission_that_is_wrong_or_cannot_be_honoured_is_refused(section: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(section)
