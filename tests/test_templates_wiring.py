"""The root holds stacks only, and passes what its children take."""

from __future__ import annotations

import re
from typing import Any

from templates_bench import FILES, FOLDER, ROOT, children_of, template, walk


def outputs_read(value: Any) -> set[tuple[str, str]]:
    """The nested stacks' outputs that the value reads."""
    pairs = (inner for at, inner in walk(value) if at.endswith("/Fn::GetAtt"))
    return {(logical, attribute.removeprefix("Outputs.")) for logical, attribute in pairs}


def wiring_faults(root: dict[str, Any], children: dict[str, dict[str, Any]]) -> list[str]:
    """What the root passes and reads that a child does not take and give, and the other way round."""
    found = []
    for logical, child in children.items():
        passed = set(root["Resources"][logical]["Properties"]["Parameters"])
        taken = set(child["Parameters"])
        found += [f"{logical}: {name} is not passed" for name in sorted(taken - passed)]
        found += [f"{logical}: {name} is not taken" for name in sorted(passed - taken)]
    for logical, output in sorted(outputs_read({"R": root["Resources"], "O": root["Outputs"]})):
        if output not in children[logical]["Outputs"]:
            found.append(f"{logical}: {output} is not given")
    return found


def test_the_network_gives_what_the_root_can_take_instead() -> None:
    names = template(ROOT)["Parameters"]
    ids = {name for name in names if re.search("^(Warehouse)?Vpc$|Subnets$|Group$", name)}
    assert len(ids) == 10
    assert ids <= template(FOLDER / "vpc.yaml")["Outputs"].keys()


def test_the_root_holds_stacks_only() -> None:
    stacks = template(ROOT)["Resources"]
    names = ["VPC", "Interconnect", "NetworkAcls", "NatGateway", "Endpoints", "FlowLogs", "EC2", "RDS"]
    assert list(stacks)[:8] == [f"Nested{name}Stack" for name in names]
    for logical, stack in stacks.items():
        assert stack["Type"] == "AWS::CloudFormation::Stack"
        assert "DependsOn" not in stack, logical
        assert stack["Properties"]["Parameters"]["EnvironmentName"] == {"Ref": "AWS::StackName"}
        assert stack["Properties"]["Tags"] == [{"Key": "EnvironmentName", "Value": {"Ref": "AWS::StackName"}}]


def test_every_template_is_the_root_or_one_of_its_children() -> None:
    assert len(children_of(template(ROOT))) == len(FILES) - 1


def test_the_root_passes_what_its_children_take_and_reads_what_they_give() -> None:
    assert wiring_faults(template(ROOT), children_of(template(ROOT))) == []


def test_a_wrong_wire_is_found() -> None:
    stack = {"Properties": {"Parameters": {"Passed": "x"}}}
    read = {"Value": {"Fn::GetAtt": ["Child", "Outputs.Read"]}}
    root = {"Resources": {"Child": stack}, "Outputs": {"Read": read}}
    faults = wiring_faults(root, {"Child": {"Parameters": {"Taken": {}}, "Outputs": {}}})
    assert faults == ["Child: Taken is not passed", "Child: Passed is not taken", "Child: Read is not given"]


def differing_parameters(root: dict[str, Any], children: dict[str, dict[str, Any]]) -> list[str]:
    """Parameters that the root hands on as they are and that a child constrains in another way."""
    found = []
    for logical, child in children.items():
        for name, passed in root["Resources"][logical]["Properties"]["Parameters"].items():
            taken = child["Parameters"][name]
            given = root["Parameters"].get(passed.get("Ref")) if isinstance(passed, dict) else None
            if given is None or taken["Type"] != given["Type"]:
                continue
            for key in taken.keys() & {"Default", "AllowedValues", "AllowedPattern", "MinValue", "MaxValue"}:
                # What only some deployments need may be empty on one side, and lack a default in the root.
                mine, theirs = (str(side.get(key)).removeprefix("^$|") for side in (taken, given))
                if key == "AllowedValues" and "Condition" in root["Resources"][logical]:
                    # Validate's wiring rules see that the root leaves the stack out at the other values.
                    mine, theirs = str(set(taken[key]) - set(given.get(key, ()))), "set()"
                if mine != theirs and not (key == "Default" and key not in given):
                    found.append(f"{logical}: {name}: {key}")
    return found


def test_a_parameter_means_the_same_in_every_template() -> None:
    assert differing_parameters(template(ROOT), children_of(template(ROOT))) == []


def test_a_parameter_that_means_something_else_is_found() -> None:
    stack = {"Properties": {"Parameters": {"InstanceType": {"Ref": "WebInstanceType"}}}}
    given = {"WebInstanceType": {"Type": "String", "Default": "a"}}
    root = {"Resources": {"Child": stack}, "Parameters": given}
    child = {"Parameters": {"InstanceType": {"Type": "String", "Default": "b"}}}
    assert differing_parameters(root, {"Child": child}) == ["Child: InstanceType: Default"]


def test_the_web_server_does_not_wait_for_the_databases() -> None:
    stack = template(ROOT)["Resources"]["NestedEC2Stack"]
    assert {logical for logical, _ in outputs_read(stack)} == {"NestedVPCStack"}


def test_a_rule_of_the_job_carries_what_its_command_asks_for() -> None:
    resources = template(FOLDER / "batch-job.yaml")["Resources"]
    command = resources["JobDefinition"]["Properties"]["ContainerProperties"]["Command"]
    asked = {word.removeprefix("Ref::") for word in command if word.startswith("Ref::")}
    transformer = resources["IncomingObjectRule"]["Properties"]["Targets"][0]["InputTransformer"]
    given = set(re.findall(r"<(\w+)>", transformer["InputTemplate"]))
    assert asked == given == set(transformer["InputPathsMap"])
