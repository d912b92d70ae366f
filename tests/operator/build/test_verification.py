"""The Job that verifies a rollout: when it is wanted, and what its pod is given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import (
    container,
    jobs,
    live,
    rolled_out,
    service,
    verifying,
)
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.files import JOBS_DIR

BAKED = {"cache": {"type": "Image"}}


ON = service(verification={}, **BAKED)


def test_it_waits_until_all_pods_are_available() -> None:
    assert jobs(ON, rolled_out(ON, availableReplicas=0)) == []
    assert len(jobs(ON, rolled_out(ON))) == 1


def test_what_has_begun_goes_on_while_a_pod_is_replaced() -> None:
    begun = verifying(ON, rolled_out(ON))
    assert len(jobs(ON, rolled_out(ON, availableReplicas=0), begun)) == 1


def test_it_asks_the_services_as_clients_do_and_takes_one_key() -> None:
    guarded = service(verification={}, auth={"secretRef": {"name": "keys"}}, service={"port": 8080}, **BAKED)
    keys = {"keys": frozenset({"team-b", "team-a"})}
    spec = jobs(guarded, rolled_out(guarded), secrets=keys)[0]["spec"]["template"]["spec"]
    assert container(spec, "verify")["args"] == [
        "verify",
        "--json",
        "--url=http://speech.team.svc:8080",
        "--metrics-url=http://speech-metrics.team.svc:9000",
        "--api-key-file=/etc/whisper/verify/api-key",
    ]
    assert spec["volumes"][1]["secret"]["items"] == [{"key": "team-a", "path": "api-key"}]
    assert spec["restartPolicy"] == "Never"


GUARDED = service(verification={}, auth={"secretRef": {"name": "keys"}}, **BAKED)


def client(*there: Manifest, keys: set[str]) -> str:
    """The client whose key the Job is given."""
    (job,) = jobs(GUARDED, rolled_out(GUARDED), *there, secrets={"keys": frozenset(keys)})
    volumes = job["spec"]["template"]["spec"]["volumes"]
    return next(one["secret"]["items"][0]["key"] for one in volumes if one["name"] == "api-key")


def test_a_client_that_is_reserved_for_it_pays_with_its_own_limits() -> None:
    assert client(keys={"aaa", "verification"}) == "verification"


def test_a_job_that_runs_keeps_its_client_as_long_as_that_has_a_key() -> None:
    (wanted,) = jobs(GUARDED, rolled_out(GUARDED), secrets={"keys": frozenset({"team"})})
    assert client(live(wanted), keys={"aaa", "team"}) == "team"
    assert client(live(wanted), keys={"aaa"}) == "aaa"


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [({"networkPolicy": {}}, "true"), ({"networkPolicy": {"allowTo": [{}]}}, None), ({}, None)],
    ids=["shut in", "let out", "no policy"],
)
def test_pods_that_may_reach_nothing_have_to_prove_it(policy: dict[str, Any], wanted: str | None) -> None:
    of = service(verification={}, **policy, **BAKED)
    verify = container(jobs(of, rolled_out(of))[0]["spec"]["template"]["spec"], "verify")
    told = {variable["name"]: variable["value"] for variable in verify["env"]}
    assert told.get("WHISPER_NO_EGRESS") == wanted


def test_a_service_that_keeps_jobs_has_one_followed_to_its_end() -> None:
    for spec, directory in (({"jobs": {}}, JOBS_DIR), ({}, None)):
        of = service(verification={}, **spec, **BAKED)
        verify = container(jobs(of, rolled_out(of))[0]["spec"]["template"]["spec"], "verify")
        assert {one["name"]: one["value"] for one in verify["env"]}.get("WHISPER_JOBS_DIR") == directory


def test_the_users_own_clip_is_heard_by_the_gate_and_by_the_verification() -> None:
    own = {"audio": {"configMapKeyRef": {"name": "clips", "key": "hello.wav"}}, "expect": {"text": "Hello there."}}
    wanted = service(verification=own, **BAKED)
    deployed = rolled_out(wanted)
    for name, body in (("server", deployed), ("verify", jobs(wanted, deployed)[0])):
        template = body["spec"]["template"]
        assert template["metadata"]["annotations"]["whisper-operator.io/golden-text"] == "Hello there."
        env = {variable["name"]: variable["value"] for variable in container(template["spec"], name)["env"]}
        assert env["WHISPER_GOLDEN_DIR"] == "/etc/whisper/golden"
        assert env["WHISPER_GOLDEN_MAX_WORD_ERROR_RATE"] == "0.1"
        golden = next(volume for volume in template["spec"]["volumes"] if volume["name"] == "golden")
        assert golden["projected"]["sources"][0]["configMap"]["items"] == [{"key": "hello.wav", "path": "clip.wav"}]


@pytest.mark.parametrize(("diarization", "encoder"), [(None, None), ({}, "resemblyzer")])
def test_speakers_are_verified_where_they_are_told_apart(diarization: Any, encoder: str | None) -> None:
    wanted = service(verification={}, diarization=diarization, **BAKED)
    spec = jobs(wanted, rolled_out(wanted))[0]["spec"]["template"]["spec"]
    env = {one["name"]: one["value"] for one in container(spec, "verify")["env"]}
    assert env.get("WHISPER_DIARIZATION_MODEL") == encoder
