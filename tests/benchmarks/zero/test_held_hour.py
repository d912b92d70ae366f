"""The report on an hour that is held; `python -m benchmarks.zero` measures it on the real cluster."""

from __future__ import annotations

from benchmarks.zero.held_hour import HeldHour, text


def test_it_says_when_it_was_accepted_and_what_became_of_it() -> None:
    found = " ".join(text(HeldHour(21.6, 9.87, 200.4, 3600.0, 1, 98, 100, 91.2)).split())
    assert "60 minutes of speech (22 MB of MP3)" in found
    assert "answers 202 after 9.9 s; its process takes 91 MiB" in found
    assert (
        "done 200 s after it was sent, in attempt 1; a sentence that the recording has 100 times is 98 times" in found
    )
