"""Conditions and reasons are explained by the operator's own words."""

from __future__ import annotations

import pytest
from kubectl_whisper.explain import explanation, sentences


def explained(name: str) -> str:
    return sentences(explanation(name))


@pytest.mark.parametrize("name", ["Stalled", "stalled"])
def test_a_condition(name: str) -> None:
    assert explained(name).startswith("Stalled\n  condition: ")


def test_a_condition_that_blocks_ready_says_so() -> None:
    assert "Ready is False while it is." in explained("Available")


@pytest.mark.parametrize("name", ["HostTaken", "ImagePullBackOff", "ChecksumMismatch"], ids=["own", "pods", "fetch"])
def test_a_reason(name: str) -> None:
    lines = explained(name).splitlines()
    assert lines[0] == name
    assert any(line.startswith("  reason under ") for line in lines)
    assert any(line.startswith("  remedy: ") for line in lines)


def test_a_reason_that_stalls_says_so() -> None:
    assert "Stalled is True until somebody does" in explained("ChecksumMismatch")


def test_each_part_by_itself_for_programs() -> None:
    found = explanation("ChecksumMismatch")
    assert (found.condition, found.blocks_ready, found.stalls) == ("", False, True)
    assert "ModelCached" in found.reason_under
    assert found.reason
    assert found.remedy


def test_a_name_that_is_not_known_gets_the_nearest() -> None:
    with pytest.raises(LookupError, match="did you mean HostTaken"):
        explained("HostTake")
    with pytest.raises(LookupError, match=r"no reason of one$"):
        explained("qqqqqqqq")
