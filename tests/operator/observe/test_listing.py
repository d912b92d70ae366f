"""What is listed and watched, and what a complete list does to the cache."""

from __future__ import annotations

import pytest

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.kinds import RESOURCE_SLICE, SERVICE
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.listing import Listing, fact_kinds

KEY = ("team", "speech")


def child(name: str, version: int = 1) -> Manifest:
    metadata = {"name": name, "namespace": "team", "uid": name, "resourceVersion": str(version)}
    return {"kind": "Service", "metadata": {**metadata, "labels": {names.LABEL_SERVICE: "speech"}}}


def test_what_none_of_a_lists_pages_held_is_deleted_at_its_end() -> None:
    cache = ObjectCache(whole_cluster=True)
    for name in ("a", "b", "c"):
        cache.observe(child(name))
    listing = Listing(cache, SERVICE, None)
    assert listing.observe([child("a")], version=9) == set()
    assert listing.observe([child("b", version=2)], version=9) == {KEY}
    assert [name for _, name in cache.observed(KEY, Facts()).objects] == ["a", "b", "c"]
    assert listing.end(version=9) == {KEY}
    assert [name for _, name in cache.observed(KEY, Facts()).objects] == ["a", "b"]


@pytest.mark.parametrize("believed", ["deleted by us", "absent from the list before"])
def test_what_a_list_holds_is_there_whatever_was_believed_of_it(believed: str) -> None:
    """Else nothing would ever show it again, but a change of it: it would be left for good."""
    cache = ObjectCache(whole_cluster=True)
    cache.observe(child("a"))
    cache.delete(KEY, child("a"))
    if believed == "absent from the list before":
        Listing(cache, SERVICE, None).end(version=9)
        cache.forget_tombstones(9)
    assert Listing(cache, SERVICE, None).observe([child("a")], version=10) == {KEY}
    assert [name for _, name in cache.observed(KEY, Facts()).objects] == ["a"]


def test_a_list_that_is_older_than_the_deletion_brings_nothing_back() -> None:
    cache = ObjectCache(whole_cluster=True)
    cache.observe(child("a"))
    cache.observe(child("a", version=5), DELETED)
    cache.delete(KEY, child("a"))  # the answer to our own deletion, which comes after the event that it caused
    assert Listing(cache, SERVICE, None).observe([child("a")], version=4) == set()


def test_an_api_that_the_cluster_lacks_is_not_watched() -> None:
    assert RESOURCE_SLICE in fact_kinds({RESOURCE_SLICE}, whole_cluster=True)
    assert RESOURCE_SLICE not in fact_kinds((), whole_cluster=True)
    assert RESOURCE_SLICE not in fact_kinds({RESOURCE_SLICE}, whole_cluster=False)
