"""Namespaces in which the operator has no rights are left out until it has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.process.namespaces import WatchedNamespaces


class Reader:
    """Stands for `Cluster`; `answers`: the status that the lists of a namespace end with."""

    def __init__(self, **answers: int) -> None:
        self.answers = answers

    async def pages(self, _: Any, namespace: str, **__: Any) -> AsyncIterator[tuple[list[Manifest], int]]:
        if status := self.answers.get(namespace):
            raise ApiError("GET", status, "", "no")
        yield [], 1


def watching(reader: Reader, *named: str) -> WatchedNamespaces:
    return WatchedNamespaces(cast(Cluster, reader), named)


async def test_one_without_rights_is_left_out_until_it_has_them() -> None:
    reader = Reader(b=403)
    namespaces = watching(reader, "a", "b")
    assert (await namespaces.look(), namespaces.open) == (True, ("a",))
    assert (await namespaces.look(), namespaces.open) == (False, ("a",))
    reader.answers = {}
    assert (await namespaces.look(), namespaces.open) == (True, ("a", "b"))


async def test_an_api_server_that_does_not_answer_changes_nothing() -> None:
    reader = Reader(b=403)
    namespaces = watching(reader, "a", "b")
    await namespaces.look()
    reader.answers = {"a": 503, "b": 500}
    assert (await namespaces.look(), namespaces.open) == (False, ("a",))


async def test_without_rights_anywhere_it_goes_on_trying_and_watches_no_other() -> None:
    namespaces = watching(Reader(a=403, b=403), "a", "b")
    assert (await namespaces.look(), namespaces.open) == (False, ("a", "b"))


async def test_an_installation_for_all_asks_for_nothing() -> None:
    assert (await watching(Reader()).look(), watching(Reader()).open) == (False, ())
