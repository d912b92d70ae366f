"""Pods are asked for their reports on the shared store: a few of them, ready ones, and not at each pass."""

from __future__ import annotations

import pytest

from tests.operator.samples import observed, pod, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.reconcile import pod_reports
from whisper_operator.reconcile.store_reports import ASK_SECONDS, MOST_PODS, SILENT_SECONDS, pods_to_ask, store_reports
from whisper_runtime.contract.shared_store import SharedStoreReport

SHARING = service(redis={"secretKeyRef": {"name": "valkey", "key": "url"}})


def server(name: str, *, is_ready: bool = True, address: str = "10.0.0.1") -> Manifest:
    ready = {"type": "Ready", "status": "True" if is_ready else "False"}
    status = {"conditions": [ready], **({"podIP": address} if address else {})}
    return pod(names.SERVER, name, **status)


def names_of(pods: list[Manifest]) -> list[str]:
    return [one["metadata"]["name"] for one in pods]


def test_ready_pods_with_an_address_are_asked() -> None:
    there = observed(server("b"), server("a"), server("c", is_ready=False), server("d", address=""))
    assert names_of(pods_to_ask(SHARING, there)) == ["a", "b"]


def test_only_a_few_are_asked() -> None:
    there = observed(*(server(f"pod-{number}") for number in range(MOST_PODS + 3)))
    assert len(pods_to_ask(SHARING, there)) == MOST_PODS


def test_without_a_store_none_is_asked() -> None:
    assert pods_to_ask(service(), observed(server("a"))) == []


async def test_each_is_asked_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def ask(one: Manifest, path: str, _: type[SharedStoreReport], _news: object) -> SharedStoreReport | None:
        asked.append(f"{one['metadata']['name']}{path}")
        return SharedStoreReport(reason="StoreInUse") if one["metadata"]["name"] == "a" else None

    now = [1000.0]
    monkeypatch.setattr(pod_reports, "ask", ask)
    monkeypatch.setattr(pod_reports.time, "monotonic", lambda: now[0])
    reader, pods = store_reports(), [server("a"), server("b")]
    found = await reader.read_all(pods)
    assert found == {"a": SharedStoreReport(reason="StoreInUse"), "b": None}
    assert await reader.read_all(pods) == found
    assert asked == ["a/store", "b/store"]
    now[0] += ASK_SECONDS
    await reader.read_all(pods)
    assert asked == ["a/store", "b/store", "a/store"], "one that is silent is asked more seldom"
    now[0] += SILENT_SECONDS
    await reader.read_all(pods)
    assert asked[3:] == ["a/store", "b/store"]
