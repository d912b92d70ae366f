"""A sample of `make campaign`: the operator is killed, its requests fail, its children are refused, its Lease runs out.

Each time the end state must equal the one of an undisturbed run, object for object; chaos says how.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chaos import campaign, children, environment, load, pause, scenarios
from chaos.environment import ChaosEnvironment
from chaos.kill import Scenario

SEED = 1
LOAD_SECONDS = 6
LONGER_THAN_A_LEASE = 16

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[ChaosEnvironment]:
    async with environment.running() as found:
        found.operator.settings = {**found.operator.settings, **load.OPERATOR_SETTINGS}
        await found.restart()
        yield found


@pytest.mark.parametrize(
    ("scenario", "nth"),
    [(scenarios.CREATE, 14), (scenarios.UPDATE, 7), (scenarios.DELETE, 9)],
    ids=["create", "update", "delete"],
)
async def test_killed_before_and_after_a_write(opened: ChaosEnvironment, scenario: Scenario, nth: int) -> None:
    row = await campaign.kill_row(opened, scenario, range(nth, nth + 1))
    assert (row.injected, row.survived) == (2, 2)


async def test_faults_of_each_kind_under_load(opened: ChaosEnvironment) -> None:
    rows = await campaign.load_rows(opened, load.SAMPLE_CASES, SEED, LOAD_SECONDS)
    assert [row.name for row in rows if row.survived == 0] == []


async def test_children_that_are_refused_or_lose_their_labels(opened: ChaosEnvironment) -> None:
    rows = await campaign.child_rows(opened, children.SAMPLE_CASES, SEED)
    assert [row for row in rows if not row.survived] == []


async def test_a_holder_that_was_stopped_writes_at_most_what_was_in_flight(opened: ChaosEnvironment) -> None:
    expected = await pause.run_undisturbed(opened)
    found = await pause.run(opened, expected, SEED, LONGER_THAN_A_LEASE)
    assert (len(found.late) <= pause.ALLOWED_LATE_WRITES, found.wrong) == (True, ()), found
