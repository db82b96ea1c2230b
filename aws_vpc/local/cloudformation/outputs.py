"""What a stack puts out, and what it exports to others of its Region."""

from __future__ import annotations

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Output, Stack
from aws_vpc.local.cloudformation.reasons import reason_of
from aws_vpc.local.cloudformation.resources import Work
from aws_vpc.local.cloudformation.scopes import standing
from aws_vpc.template_functions import evaluate, text


def finish(work: Work) -> str | None:
    """None once the outputs are the stack's, or the reason why they cannot be."""
    engine, stack = work.engine, work.stack
    try:
        found = tuple(evaluated(work))
        with engine.changed:
            refuse_exports(engine, stack, found)
            stack.outputs, stack.imports = found, frozenset(work.imports)
    except Exception as error:
        return reason_of(error, stack.name)
    return None


def evaluated(work: Work) -> list[Output]:
    """The stack's outputs as its resources stand."""
    scope = standing(work.engine, work.stack, work.bound.scope, work.stack.resources, work.imports)
    found = []
    for key, output in work.bound.outputs.items():
        value = evaluate(output["Value"], scope)
        if isinstance(value, (list, dict)):
            raise TemplateError(
                f"Template format error: Output {key} is malformed. The Value field of every Outputs "
                "member must evaluate to a String."
            )
        export = evaluate(output["Export"]["Name"], scope) if "Export" in output else None
        found.append(Output(key, text(value), output.get("Description"), export))
    return found


def refuse_exports(engine: Engine, stack: Stack, found: tuple[Output, ...]) -> None:
    """Nothing; TemplateError when an export is another's, or one in use would change or go."""
    standing_exports = engine.exports(stack.region)
    mine = {output.export: output.value for output in found if output.export}
    for name in mine:
        owner = standing_exports.get(name, (stack, ""))[0]
        if owner is not stack:
            raise TemplateError(f"Export with name {name} is already exported by stack {owner.name}.")
    for output in stack.outputs:
        if output.export and mine.get(output.export) != output.value:
            users = engine.importers(stack.region, output.export)
            verb = "updated" if output.export in mine else "deleted"
            if users:
                raise TemplateError(
                    f"Export {output.export} cannot be {verb} as it is in use by {' and '.join(users)}."
                )
