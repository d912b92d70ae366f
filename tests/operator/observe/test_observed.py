"""The live objects of one service, by kind and by component."""

from __future__ import annotations

from tests.operator.samples import claim, observed, pod, service
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT


def test_an_object_is_found_by_kind_and_name() -> None:
    there = observed(claim(service()))
    assert there.get(CLAIM, "speech-models") is not None
    assert there.get(DEPLOYMENT, "speech-models") is None


def test_the_pods_of_a_component_come_newest_first() -> None:
    pods = [pod("server", "a"), pod("server", "b"), pod("verify", "c")]
    pods[1]["metadata"]["creationTimestamp"] = "2026-01-01T00:00:01Z"
    there = observed(*pods)
    assert [body["metadata"]["name"] for body in there.pods("server")] == ["b", "a"]
    assert there.pods("prefetch") == []
