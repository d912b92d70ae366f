"""Whether a request takes a kept result, by its age and by the time that is left of it."""

from __future__ import annotations

import pytest

from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES, CacheDirectives


@pytest.mark.parametrize(
    ("directives", "taken"),
    [
        (NO_DIRECTIVES, True),
        (CacheDirectives(no_cache=True), False),
        (CacheDirectives(max_age=60), True),
        (CacheDirectives(max_age=59), False),
        (CacheDirectives(min_fresh=40), True),
        (CacheDirectives(min_fresh=41), False),
        (CacheDirectives(only_if_cached=True), True),
    ],
)
def test_a_result_of_a_minute_that_is_kept_for_forty_seconds_more(directives: CacheDirectives, taken: bool) -> None:
    assert directives.takes(age=60, seconds_left=40) is taken
