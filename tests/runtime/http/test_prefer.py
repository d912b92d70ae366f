"""The header Prefer as RFC 7240 has it."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from whisper_runtime.http.prefer import LONGEST_WAIT, Preference, async_preference


def preferred(*lines: str) -> Preference | None:
    return async_preference(Headers(raw=[(b"prefer", line.encode()) for line in lines]))


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([], None),
        (["respond-async"], Preference()),
        (["Respond-Async, WAIT=10"], Preference(10)),
        (["respond-async", "wait=10"], Preference(10)),
        (["respond-async,wait=10"], Preference(10)),
        (['respond-async; x="a, wait=9;", wait = "7"'], Preference(7)),
        (["respond-async;;  priority=5 ; y , wait=5;z"], Preference(5)),
        (['respond-async=""'], Preference()),
        ([", ,respond-async,,"], Preference()),
        (["wait=10"], None),
        (["respond-async, wait=1, wait=2", "wait=3"], Preference(1)),
        (["respond-async, wait=999999"], Preference(LONGEST_WAIT)),
        (["respond-async, wait=99999999999999999999"], Preference()),
        (["respond-async, wait=-1"], Preference()),
        (["respond-async, wait=1.5"], Preference()),
        (["respond-async, wait=ten"], Preference()),
        (["respond-async, wait"], Preference()),
        (["respond-asynchronously, handling=lenient"], None),
        (['foo="respond-async'], None),
        (["foo=respond-async, return=minimal"], None),
        (["respond async"], None),
    ],
)
def test_what_a_client_prefers(lines: list[str], wanted: Preference | None) -> None:
    assert preferred(*lines) == wanted


@pytest.mark.parametrize("piece", ['"', "a;", ";", "a=", '"\\', "a,", " "])
def test_a_hostile_header_is_read_at_once(piece: str) -> None:
    assert preferred(piece * 30_000) is None


def test_what_was_applied_is_said() -> None:
    assert Preference().applied == "respond-async"
    assert Preference(7).applied == "respond-async, wait=7"
