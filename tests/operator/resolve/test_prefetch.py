"""The Job that fetches a model: one for each source, digest and claim."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import (
    claim,
    fetched,
    observed,
    resolved,
    service,
)


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"name": "small"}},
        {"model": {"name": "base", "source": {"url": "https://example.com/a.pt", "sha256": "a" * 64}}},
    ],
)
def test_another_model_is_another_fetch(change: dict[str, object]) -> None:
    names = {fetched(of, claim(of))["metadata"]["name"] for of in (service(), service(**change))}
    assert len(names) == 2


def test_another_claim_is_another_fetch() -> None:
    wanted, other = service(), claim(service())
    other["metadata"]["uid"] = "another"
    assert fetched(wanted, claim(wanted))["metadata"]["name"] != fetched(wanted, other)["metadata"]["name"]


def shared(mode: str, uid: str = "1") -> dict[str, Any]:
    body = {"metadata": {"name": "shared", "uid": uid}, "spec": {"accessModes": [mode]}, "status": {"phase": "Bound"}}
    return {"claims": {"shared": body}}


def test_another_claim_of_the_same_name_is_filled_anew() -> None:
    wanted = service(cache={"existingClaim": "shared"})
    before, after = (resolved(wanted, observed(**shared("ReadWriteMany", uid))).prefetch.job_name for uid in "12")
    assert before != after
    assert resolved(wanted, observed(claims={"shared": None})).prefetch.job_name is None
