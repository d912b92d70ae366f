"""What a pass reads so that a rollout can be decided."""

from __future__ import annotations

import pytest

from tests.operator.passes import settled
from whisper_operator.kube.errors import ApiError


async def test_the_pods_of_the_cluster_are_listed_for_a_gpus_rollout_alone() -> None:
    passes = await settled("everything", speech_keys=["team-a"])
    assert ("list", "Pod", "") not in passes.cluster.requests
    service = passes.cluster.objects["WhisperService", *passes.key]
    passes.cluster.put({**service, "spec": {**service["spec"], "language": "en"}})
    passes.see_all()
    await passes.run()
    assert ("list", "Pod", "") in passes.cluster.requests
    assert passes.status["rollout"] == {"strategy": "Surge", "reason": "node a has nvidia.com/gpu and room for it free"}


async def test_a_list_of_pods_that_cannot_be_read_leaves_the_deployment_as_it_is() -> None:
    passes = await settled("everything", speech_keys=["team-a"])
    service = passes.cluster.objects["WhisperService", *passes.key]
    spec = {**service["spec"], "language": "en", "service": {"port": 8080}}
    passes.cluster.put({**service, "spec": spec})
    passes.see_all()
    passes.cluster.unreadable["Pod"] = ApiError("GET", 503, "ServiceUnavailable", "starting")
    before = passes.cluster.objects["Deployment", *passes.key]
    with pytest.raises(ApiError, match="503"):
        await passes.run()
    assert passes.cluster.objects["Deployment", *passes.key] == before
    assert passes.cluster.objects["Service", *passes.key]["spec"]["ports"][0]["port"] == 8080
    assert {one["type"]: one["reason"] for one in passes.status["conditions"]}["Reconciling"] == "LookupFailed"
