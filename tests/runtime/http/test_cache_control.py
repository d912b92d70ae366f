"""Cache-Control of a request."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from whisper_runtime.http.cache_control import LONGEST_HEADER, MOST_SECONDS, cache_directives
from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES, CacheDirectives


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", NO_DIRECTIVES),
        ("no-store", CacheDirectives(no_store=True)),
        ("No-Cache", CacheDirectives(no_cache=True)),
        ("only-if-cached", CacheDirectives(only_if_cached=True)),
        ("max-age=60", CacheDirectives(max_age=60)),
        ('max-age="60"', CacheDirectives(max_age=60)),
        (" max-age=0 ,, min-fresh=5,no-transform", CacheDirectives(max_age=0, min_fresh=5)),
        ("max-age=60, max-age=1", CacheDirectives(max_age=60)),
        ("max-stale, no-cache", CacheDirectives(no_cache=True)),
        ('x="a, no-store", no-cache', CacheDirectives(no_cache=True)),
        ('x="a\\", no-store"', NO_DIRECTIVES),
        ("not-no-store, no-storeroom", NO_DIRECTIVES),
        ("max-age=99999999999999999999", CacheDirectives(max_age=MOST_SECONDS)),
    ],
)
def test_what_it_says(header: str, found: CacheDirectives) -> None:
    assert cache_directives(Headers({"cache-control": header})) == found


def test_a_request_without_it_says_nothing() -> None:
    assert cache_directives(Headers()) == NO_DIRECTIVES


def test_the_header_may_come_in_parts() -> None:
    both = Headers(raw=[(b"cache-control", b"no-cache"), (b"cache-control", b"max-age=5")])
    assert cache_directives(both) == CacheDirectives(no_cache=True, max_age=5)


@pytest.mark.parametrize("seconds", ["", "=", "=soon", "=-1", "=1.5", '="'])
def test_seconds_that_are_no_number_are_the_strictest(seconds: str) -> None:
    assert cache_directives(Headers({"cache-control": f"max-age{seconds}"})).max_age == 0
    assert cache_directives(Headers({"cache-control": f"min-fresh{seconds}"})).min_fresh == MOST_SECONDS


def test_a_long_header_is_read_up_to_its_bound() -> None:
    assert cache_directives(Headers({"cache-control": "x," * LONGEST_HEADER + "no-store"})) == NO_DIRECTIVES
    assert cache_directives(Headers({"cache-control": '"' * 100_000})) == NO_DIRECTIVES
