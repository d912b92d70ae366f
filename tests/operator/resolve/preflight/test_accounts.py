"""The ServiceAccount that a spec names."""

from __future__ import annotations

import pytest

from tests.operator.resolve.preflight.findings import assert_found, checked
from tests.operator.samples import observed, service

EXISTING = {"serviceAccount": {"create": False, "name": "models"}, "cache": {"type": "EmptyDir"}}


def test_one_that_is_missing_holds_the_pods() -> None:
    says = "ServiceAccount team/models, named in spec.serviceAccount.name, does not exist: create it"
    assert_found(EXISTING, {"accounts": {"models": None}}, "ServiceAccountNotFound", says, True)


@pytest.mark.parametrize(
    "accounts", [{"models": {"metadata": {"name": "models"}}}, {}], ids=["exists", "not looked up"]
)
def test_one_that_exists_is_right(accounts: dict[str, object]) -> None:
    assert checked(service(**EXISTING), observed(accounts=accounts)).findings == []
