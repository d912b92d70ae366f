"""A sample of `make campaign`: the operator is killed, its requests fail, its Lease runs out; all comes right again.

Each time the end state must equal the one of an undisturbed run, object for object; chaos says how.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chaos import campaign, environment, load, pause, scenarios
from chaos.environment import Stage
from chaos.kill import Scenario

SEED = 1
STORM_SECONDS = 6
LONGER_THAN_A_LEASE = 16

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Stage]:
    async with environment.opened() as found:
        found.operator.settings = load.SETTINGS
        await found.restart()
        yield found


@pytest.mark.parametrize(
    ("scenario", "nth"),
    [(scenarios.CREATE, 14), (scenarios.UPDATE, 7), (scenarios.DELETE, 9)],
    ids=["create", "update", "delete"],
)
async def test_killed_before_and_after_a_write(opened: Stage, scenario: Scenario, nth: int) -> None:
    row = await campaign.killed(opened, scenario, range(nth, nth + 1))
    assert (row.injected, row.survived) == (2, 2)


async def test_a_storm_of_each_sort(opened: Stage) -> None:
    rows = await campaign.stormed(opened, load.SAMPLE, SEED, STORM_SECONDS)
    assert [row.name for row in rows if row.survived == 0] == []


async def test_a_holder_that_was_stopped_writes_at_most_what_was_in_flight(opened: Stage) -> None:
    expected = await pause.undisturbed(opened)
    found = await pause.run(opened, expected, SEED, LONGER_THAN_A_LEASE)
    assert (len(found.late) <= pause.ALLOWED, found.wrong) == (True, ()), found
