"""One line says whether a service is well, and if not, why."""

from __future__ import annotations

from typing import Any

import pytest
from kubectl_whisper.status import row


def service(**status: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "team", "name": "speech"}, "status": status}


def ready(status: str, reason: str, message: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": "Ready", "status": status, "reason": reason, "message": message}]}


def test_a_service_that_is_well() -> None:
    found = row(
        service(
            **ready("True", "AsSpecified", "2 of 2 replicas available"),
            availableReplicas=2,
            desiredReplicas=2,
            model={"name": "large-v3"},
            jobs={"queuedAudio": "15m"},
            performance={"realtimeFactor": 31.44},
        )
    )
    assert (found.namespace, found.name, found.ready, found.why) == ("team", "speech", "True", "")
    assert (found.model, found.pods, found.queued, found.speed) == ("large-v3", "2/2", "15m", "31.4x")


def test_a_service_that_is_new() -> None:
    found = row({"metadata": {"namespace": "team", "name": "speech"}})
    assert (found.ready, found.model, found.pods, found.queued, found.speed) == ("Unknown", "", "", "", "")
    assert "see that it runs" in found.why


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (ready("False", "ImagePullBackOff", "back-off"), "ImagePullBackOff: back-off"),
        (ready("True", "ScaledToZero", "no pod runs"), "ScaledToZero: no pod runs"),
        (ready("True", "Suspended"), "Suspended"),
        ({"conditions": [{"type": "Available", "status": "True", "reason": "AsSpecified"}]}, "the operator has not"),
    ],
    ids=["not ready", "asleep", "without a message", "another condition"],
)
def test_why_it_is_not_as_it_should_be(condition: dict[str, Any], why: str) -> None:
    assert row(service(**condition)).why.startswith(why)


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ({"name": "base", "wanted": "large-v3"}, "base -> large-v3"),
        ({"name": "base", "wanted": "large-v3", "progress": {"bytes": 41, "total": 100}}, "base -> large-v3 (41 %)"),
        ({"wanted": "base", "progress": {"bytes": 41}}, "-> base"),
    ],
    ids=["waits", "is fetched", "first, of unknown size"],
)
def test_a_model_that_is_to_come(model: dict[str, Any], shown: str) -> None:
    assert row(service(model=model)).model == shown
