"""Fronts are asked what clients want, and learn when a pod serves: each second for as long as none does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.operator.samples import pod
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.demand import FrontDemand
from whisper_operator.observe.records import Key
from whisper_operator.reconcile import demand, pod_reports
from whisper_operator.reconcile.demand import DemandReader, WaitingFront
from whisper_operator.resolve.scaling import SILENT_SECONDS
from whisper_operator.resolve.wake import WakeOutlook
from whisper_runtime.contract.front import DemandReport, WakeForecast

KEY: Key = ("team", "speech")
ONE, TWO = pod("front", "one"), pod("front", "two")
QUIET = DemandReport(held_requests=0, held_bytes=0, active_requests=0, idle_seconds=9.0)
REFUSED = DemandReport(held_requests=0, held_bytes=0, active_requests=0, idle_seconds=1.0, refused_requests=3)
OUTLOOK = WakeOutlook(steps=(1.0, 2.0, 4.0), audio_speed=20.0)
HELD = DemandReport(held_requests=2, held_bytes=7, active_requests=0, idle_seconds=0.0)


def asleep(*pods: Manifest) -> WaitingFront:
    """The front of a service of which no pod is wanted."""
    return WaitingFront(pods, OUTLOOK, is_asleep=True)


class AskedFront:
    """Stands for the front's pods: their reports by name, and how often they were asked."""

    def __init__(self) -> None:
        self.reports: dict[str, DemandReport | None] = {"one": QUIET, "two": QUIET}
        self.questions = 0
        self.news: list[WakeForecast | None] = []
        """What they were handed with each question."""
        self.is_asked = asyncio.Event()

    async def ask(
        self, asked: Manifest, path: str, _report: type[DemandReport], news: WakeForecast | None
    ) -> DemandReport | None:
        assert path == "/demand"
        self.news.append(news)
        self.questions += 1
        self.is_asked.set()
        return self.reports[asked["metadata"]["name"]]

    async def next_questions(self, count: int) -> None:
        """Returns once so many more questions have come."""
        for _ in range(count):
            self.is_asked.clear()
            await self.is_asked.wait()


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> AskedFront:
    found = AskedFront()
    monkeypatch.setattr(pod_reports, "ask", found.ask)
    monkeypatch.setattr(demand, "POLL_SECONDS", 0.0)
    return found


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [1000.0]
    monkeypatch.setattr(pod_reports.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(demand.time, "monotonic", lambda: now[0])

    def passing(seconds: float) -> None:
        now[0] += seconds

    return passing


@pytest.fixture
async def woken(front: AskedFront) -> AsyncIterator[tuple[DemandReader, asyncio.Queue[Key]]]:
    """A reader that asks, and the services that it found demand for."""
    reader, found = DemandReader(), asyncio.Queue[Key]()
    running = asyncio.create_task(reader.run(found.put_nowait))
    yield reader, found
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_all_pods_of_a_front_are_asked(front: AskedFront) -> None:
    front.reports = {"one": QUIET, "two": HELD}
    assert await DemandReader().read(KEY, [ONE, TWO]) == FrontDemand(held=2, idle_seconds=0.0)
    assert front.questions == 2
    assert front.news == [None, None]


async def test_with_each_question_the_front_learns_when_a_pod_serves(
    front: AskedFront, woken: tuple[DemandReader, asyncio.Queue[Key]]
) -> None:
    woken[0].watch(KEY, asleep(ONE))
    await front.next_questions(1)
    assert front.news == [WakeForecast(expected_seconds=7.0, audio_speed=20.0)]


async def test_a_request_that_was_refused_for_want_of_a_pod_wakes(
    front: AskedFront, woken: tuple[DemandReader, asyncio.Queue[Key]]
) -> None:
    reader, found = woken
    front.reports["one"] = REFUSED
    reader.watch(KEY, asleep(ONE))
    assert await found.get() == KEY


async def test_demand_while_the_first_pod_starts_brings_no_pass(
    front: AskedFront,
    woken: tuple[DemandReader, asyncio.Queue[Key]],
    pass_time: Callable[[float], None],
) -> None:
    reader, found = woken
    front.reports["one"] = HELD
    reader.watch(KEY, WaitingFront([ONE], OUTLOOK, is_asleep=False))
    for _ in range(3):
        await front.next_questions(1)
        pass_time(1)
    assert found.empty()


async def test_it_is_known_since_when_none_has_answered(front: AskedFront, pass_time: Callable[[float], None]) -> None:
    reader, front.reports = DemandReader(), {"one": None, "two": None}
    assert await reader.read(KEY, [ONE, TWO]) == FrontDemand(silent=("one", "two"))
    pass_time(30)
    assert (await reader.read(KEY, [])).silent_seconds == 30.0
    front.reports["two"] = QUIET
    assert await reader.read(KEY, [ONE, TWO]) == FrontDemand(idle_seconds=9.0, silent=("one",))
    pass_time(30)
    assert (await reader.read(KEY, [])).silent_seconds == 0.0, "from now on"


async def test_demand_for_a_service_without_a_pod_is_told(
    front: AskedFront, woken: tuple[DemandReader, asyncio.Queue[Key]], pass_time: Callable[[float], None]
) -> None:
    reader, found = woken
    reader.watch(KEY, asleep(ONE))
    await front.next_questions(1)
    assert found.empty(), "nobody asks"
    front.reports["one"] = HELD
    pass_time(1)
    assert await found.get() == KEY


async def test_a_front_that_has_been_silent_for_long_is_told(
    front: AskedFront, woken: tuple[DemandReader, asyncio.Queue[Key]], pass_time: Callable[[float], None]
) -> None:
    reader, found = woken
    front.reports["one"] = None
    reader.watch(KEY, asleep(ONE))
    for seconds in range(0, 2 * int(SILENT_SECONDS), 6):
        assert found.empty() or seconds >= SILENT_SECONDS
        await front.next_questions(1)
        pass_time(6)
    assert await found.get() == KEY


@pytest.mark.parametrize("leave", [DemandReader.leave, DemandReader.forget])
async def test_a_service_that_has_pods_or_is_gone_is_asked_no_more(
    front: AskedFront,
    woken: tuple[DemandReader, asyncio.Queue[Key]],
    pass_time: Callable[[float], None],
    leave: Callable[[DemandReader, Key], None],
) -> None:
    reader, _ = woken
    reader.watch(KEY, asleep(ONE))
    await front.next_questions(1)
    leave(reader, KEY)
    reader.watch(("team", "other"), asleep(TWO))
    asked, front.reports = front.questions, {"two": QUIET}
    for _ in range(3):
        pass_time(1)
        await front.next_questions(1)
    assert front.questions == asked + 3, "those of the other one, which alone has a report"
