"""The pages about costs and gates: their sums are right, and they speak of what there is."""

from __future__ import annotations

import re
from pathlib import Path

from aws_vpc.template_parameters import scalar
from aws_vpc.template_parse import parse
from aws_vpc.validate_tools import guard_files

ROOT = Path(__file__).parent.parent
COSTS = (ROOT / "docs" / "costs.rst").read_text()
GATES = (ROOT / "docs" / "gates.rst").read_text()


def test_the_columns_of_the_costs_add_up() -> None:
    rows = [line for line in COSTS.split("By use")[0].splitlines() if re.search(r"(\s+\d+\.\d\d){3}$", line)]
    values = [[float(value) for value in row.split()[-3:]] for row in rows]
    *parts, total = values
    assert rows[-1].startswith("total") and len(parts) > 10
    assert [round(sum(column), 2) for column in zip(*parts, strict=True)] == total


def test_the_costs_name_parameters_that_there_are() -> None:
    declared = parse((ROOT / "templates" / "nested-stack.yaml").read_text())["Parameters"]
    for name, value in re.findall(r"``([A-Z]\w+)(?:=([a-zA-Z-]+))?``", COSTS):
        if name == "Warehouse" and name not in declared:
            assert "(if offered)" in COSTS
            continue
        assert name in declared
        allowed = declared[name].get("AllowedValues", [value])
        assert not value or value in [scalar(one) for one in allowed], f"{name}={value}"


def test_the_gates_count_the_rules_that_come_along() -> None:
    counts = {
        folder: sum(
            len(re.findall(r"(?m)^rule [A-Z]", path.read_text())) if folder == "registry" else 1
            for path in guard_files()
            if path.parent.name == folder
        )
        for folder in ("registry", "control-tower")
    }
    assert f"registry {counts['registry']}, Control Tower {counts['control-tower']} rules" in GATES
