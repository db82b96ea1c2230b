"""Whatever an operation was doing when the embedded AWS ended, its stack comes to rest after a start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cloudformation_bench import THING, Bench, serving
from embedded import until

from aws_vpc.local import kept
from aws_vpc.local.cloudformation.resume import WAYS, resume

TEMPLATE = f"Resources: {{Thing: {{Type: {THING}}}}}"
ENDS = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS": "DELETE_COMPLETE",
    "UPDATE_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with serving(tmp_path_factory.mktemp("resumed")) as bench:
        yield bench


def test_every_status_has_an_end() -> None:
    assert ENDS.keys() == WAYS.keys()


@pytest.mark.parametrize("status", ENDS)
def test_a_stack_cut_short_before_anything_was_touched_comes_to_rest(aws: Bench, status: str) -> None:
    made = aws.create(TEMPLATE)
    engine = aws.world.parts[kept.STACKS].owner
    stack = engine.stacks[made]
    stack.status = status  # all that was on the disk of the operation
    resume(engine)
    assert aws.settle(stack.id) == ENDS[status]
    until(lambda: stack.run is None)
    standing = ENDS[status] not in ("ROLLBACK_COMPLETE", "DELETE_COMPLETE")
    assert (stack.resources["Thing"].status == "CREATE_COMPLETE") is standing
