"""Services that limit their clients, or have a language that is not the clip's, are proven like any other."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service

SECONDS: Final = 600
"""A client of ten requests in a minute takes two minutes for all that a verification asks, beside fetch and start."""

SERVICES: Final = {
    "limited": mirrored_service("limited", rateLimit={}, verification={}),
    "german": mirrored_service("german", "base", language="de", verification={}),
}


@pytest.fixture(scope="module")
def services(namespace: Kubectl) -> Kubectl:
    """Both services, which start side by side."""
    for manifest in SERVICES.values():
        namespace.apply(manifest)
    return namespace


def checks(kubectl: Kubectl, name: str) -> dict[str, dict[str, Any]]:
    found = (kubectl.get("wsvc", name) or {}).get("status", {}).get("verification", {}).get("checks", [])
    return {check["name"]: check for check in found}


@pytest.mark.parametrize("name", SERVICES)
def test_it_becomes_ready_by_its_own_proof(services: Kubectl, name: str) -> None:
    services.wait_ready(name, SECONDS)
    assert services.condition(name, "Verified")["status"] == "True"
    assert [check for check, found in checks(services, name).items() if not found["passed"]] == []


def test_the_proof_of_a_service_with_a_language_holds_it_to_that_language(services: Kubectl) -> None:
    services.wait_ready("german", SECONDS)
    assert checks(services, "german")["language"]["message"] == "de, as configured"
