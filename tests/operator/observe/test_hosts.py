"""Hosts and paths of Ingresses that overlap."""

from __future__ import annotations

import pytest

from whisper_operator.observe.hosts import hosts_overlap, paths_overlap


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("a.example.com", "a.example.com", True),
        ("a.example.com", "b.example.com", False),
        ("a.example.com", "*.example.com", True),
        ("b.a.example.com", "*.example.com", True),
        ("*.a.example.com", "*.example.com", True),
        ("example.com", "*.example.com", False),
        ("a.example.com", "*.example.org", False),
        ("", "", True),
        ("", "a.example.com", False),
        ("", "*.example.com", False),
    ],
)
def test_a_host_overlaps_with_the_wildcards_above_it(one: str, other: str, overlap: bool) -> None:
    assert hosts_overlap(one, other) is overlap
    assert hosts_overlap(other, one) is overlap


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("/", "/", True),
        ("/", "/api", True),
        ("/api/", "/api", True),
        ("/api", "/api/v1", True),
        ("/api", "/apis", False),
        ("/api", "/web", False),
    ],
)
def test_a_path_overlaps_with_what_is_below_it(one: str, other: str, overlap: bool) -> None:
    assert paths_overlap(one, other) is overlap
    assert paths_overlap(other, one) is overlap
