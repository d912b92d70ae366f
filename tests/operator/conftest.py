"""A version that lacks a part of its API, as ours does at times."""

from __future__ import annotations

from typing import Any, Final

import pytest

from whisper_operator.api import unsupported
from whisper_operator.api.v1alpha1 import Spec

NOT_IMPLEMENTED: Final[dict[str, Any]] = {"redis": {"secretKeyRef": {"name": "valkey", "key": "url"}}}


@pytest.fixture
def redis_not_implemented(monkeypatch: pytest.MonkeyPatch) -> None:
    def names_a_store(spec: Spec) -> object:
        return spec.redis

    monkeypatch.setattr(unsupported, "UNSUPPORTED", (("spec.redis", names_a_store),))
