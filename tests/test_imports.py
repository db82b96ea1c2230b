"""Imports run one way: cli -> edges -> pure -> errors, and no edge imports another edge."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "aws_vpc"
PURE = {"template", "network", "reach", "matrix", "map", "intents", "plan"}


def imported(path: Path) -> set[str]:
    """The modules of this package that the file imports, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("aws_vpc"):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("aws_vpc")}
    return names


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_pure_modules_know_no_edge_and_no_client(path: Path) -> None:
    if path.stem.split("_")[0] not in PURE:
        return
    foreign = {name for name in imported(path) if name.split(".")[1].split("_")[0] not in PURE | {"errors"}}
    assert not foreign, f"{path.name} is pure and imports {sorted(foreign)}"
    assert "boto" not in path.read_text()


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_nothing_but_the_entry_points_imports_the_command_line(path: Path) -> None:
    if path.stem == "__main__" or path.stem.startswith("cli") or "commands" in path.parts:
        return
    assert not {name for name in imported(path) if name.startswith("aws_vpc.cli")}
