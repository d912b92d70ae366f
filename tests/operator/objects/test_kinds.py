"""The kinds of Kubernetes objects that the operator knows."""

from __future__ import annotations

import pytest

from whisper_operator.objects.kinds import CHILD_KINDS, DEPLOYMENT, NAMESPACE_FACTS, SERVICE, by_name


def test_a_kinds_group_and_version() -> None:
    assert (DEPLOYMENT.group, DEPLOYMENT.version) == ("apps", "v1")
    assert (SERVICE.group, SERVICE.version) == ("", "v1")


def test_a_child_kind_is_found_by_its_name() -> None:
    assert [by_name(kind.kind) for kind in CHILD_KINDS] == list(CHILD_KINDS)
    with pytest.raises(KeyError):
        by_name(NAMESPACE_FACTS[0].kind)
