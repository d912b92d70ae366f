"""The template of the pods that serve."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import (
    children,
    claim,
    deployment,
    fetched,
    observed,
    one,
    resolved,
    service,
)

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


@pytest.mark.parametrize(("path", "prefix"), [("/", None), ("/speech", "/speech"), ("/speech/", "/speech")])
def test_the_pods_answer_below_the_path_of_their_ingress(path: str, prefix: str | None) -> None:
    (server,) = deployment(service(ingress={"path": path}, **EMPTY_DIR))["spec"]["template"]["spec"]["containers"]
    assert {one["name"]: one.get("value") for one in server["env"]}.get("WHISPER_BASE_PATH") == prefix


def test_quantities_are_canonical() -> None:
    wanted = service(resources={"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"memory": 2147483648}})
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    resources = one(children(wanted, observed(*there)), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert resources["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


def test_what_the_engine_is_told_reaches_the_pod_and_a_default_leaves_no_trace() -> None:
    told = variables(computeType="bfloat16", server={"maxBatchSize": 4})
    assert (told["WHISPER_COMPUTE_TYPE"], told["WHISPER_MAX_BATCH_SIZE"]) == ("bfloat16", "4")
    assert not {"WHISPER_COMPUTE_TYPE", "WHISPER_MAX_BATCH_SIZE"} & variables().keys()


def test_a_rate_limit_reaches_the_pod_and_its_absence_leaves_no_trace() -> None:
    limited = variables(rateLimit={"audioMinutesPerHour": 90})
    assert (limited["WHISPER_REQUESTS_PER_MINUTE"], limited["WHISPER_AUDIO_MINUTES_PER_HOUR"]) == ("10", "90")
    assert not {name for name in variables() if "PER_MINUTE" in name or "PER_HOUR" in name}


def variables(**spec: object) -> dict[str, str]:
    """The environment of the server's container."""
    template = deployment(service(**spec, **EMPTY_DIR))["spec"]["template"]
    return {entry["name"]: entry["value"] for entry in template["spec"]["containers"][0]["env"]}


def shared(mode: str, uid: str = "1") -> dict[str, Any]:
    body = {"metadata": {"name": "shared", "uid": uid}, "spec": {"accessModes": [mode]}, "status": {"phase": "Bound"}}
    return {"claims": {"shared": body}}


@pytest.mark.parametrize(
    ("mode", "together"), [("ReadWriteOnce", True), ("ReadWriteMany", False), ("ReadOnlyMany", False)]
)
def test_pods_that_share_a_claim_of_one_node_go_to_that_node_whoever_made_it(mode: str, together: bool) -> None:
    wanted = service(cache={"existingClaim": "shared"})
    name = resolved(wanted, observed(**shared(mode))).prefetch.job_name
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    fetch = {"kind": "Job", "metadata": {"name": name}, "status": done}
    found = one(children(wanted, observed(fetch, **shared(mode))), "Deployment")
    assert ("podAffinity" in found["spec"]["template"]["spec"].get("affinity", {})) is together
