"""From no pod to words; `python -m benchmarks.zero` measures it on the real cluster."""

from __future__ import annotations

from benchmarks.zero.wake import Wake, text

FOUND = Wake(scheduled=1.0, started=3.0, ready=9.0, words=11.0, alone=2.0)


def test_words_are_held_against_the_pods_start_and_the_transcription() -> None:
    assert (FOUND.pod, FOUND.ratio) == (8.0, 1.1)


def test_the_report_has_the_parts_of_each_wake() -> None:
    found = text([FOUND])
    assert "after 1.10 times (median)" in found
    assert "| 1.0 | 3.0 | 9.0 | 11.0 | 2.0 | 1.10 |" in found
