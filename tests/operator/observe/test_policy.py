"""Patterns of the installation's policy."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from whisper_operator.observe.policy import Policy, any_matches


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("nvidia.com/*", "nvidia.com/gpu", True),
        ("nvidia.com/*", "nvidiaXcom/gpu", False),
        ("letsencrypt*", "letsencrypt", True),
        ("letsencrypt", "letsencrypt-staging", False),
        ("*.{namespace}.example.com", "a.team.example.com", True),
        ("*.{namespace}.example.com", "a.other.example.com", False),
        ("http://prometheus*", "http://prometheus.monitoring:9090", True),
        ("http://prometheus*", "http://prometheus@169.254.169.254", False),
    ],
)
def test_a_pattern_matches_the_whole_value(pattern: str, value: str, matches: bool) -> None:
    assert any_matches((pattern,), value, "team") is matches


@pytest.mark.parametrize("pattern", ["", "a|b", "(a)", "{name}"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        Policy(hosts=(pattern,))


def test_an_exempt_namespace_is_bound_by_nothing() -> None:
    policy = Policy(exempt_namespaces=("platform-*",), shared_hosts=("www.example.com",))
    assert (policy.binds("platform-a"), policy.binds("team")) == (False, True)
    assert (policy.shares("a.example.com", "platform-a"), policy.shares("a.example.com", "team")) == (True, False)
    assert policy.shares("www.example.com", "team")
