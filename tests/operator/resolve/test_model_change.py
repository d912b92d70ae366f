"""A change of the model: given what is there, which model pods get, and what the service says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.samples import (
    children,
    claim,
    deployment,
    fetched,
    live,
    observed,
    one,
    pod,
    resolved,
    service,
)
from tests.operator.statuses import conditions, message, status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.resolve.model import EncoderRef, ModelRef, model_of
from whisper_runtime.contract.models import OFFICIAL_MODELS
from whisper_runtime.contract.reports import FetchProgress

OLD, NEW = service(), service(model={"name": "small"})
REPLACED = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 0, "availableReplicas": 0}
SURGED = {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}


def serving_old(*fetched_for: WhisperService) -> list[Manifest]:
    """The old model serves, and what each of these wants has been fetched."""
    cache = claim(OLD)
    there = [cache, *(fetched(of, cache) for of in (OLD, *fetched_for))]
    return [*there, deployment(OLD, *there)]


def rolling(of: WhisperService, there: list[Manifest], **status: Any) -> list[Manifest]:
    """`there` after the Deployment that `of` wants now has been applied."""
    wanted = one(children(of, observed(*there)), "Deployment")
    others = [body for body in there if body["kind"] != "Deployment"]
    return [*others, live(wanted, status={"observedGeneration": 1, **status})]


def pod_of(model: str, **status: Any) -> Manifest:
    containers = [{"name": "server", "env": [{"name": "WHISPER_MODEL", "value": model}]}]
    return {**pod("server", **status), "spec": {"containers": containers}}


def crashing(model: str, restarts: int = 1) -> Manifest:
    ended = {"exitCode": 1, "message": "the model gets 100% of the golden clip's words wrong"}
    state = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ended}}
    return pod_of(model, containerStatuses=[{"restartCount": restarts, **state}])


def fetch_failing(reason: str, text: str) -> Manifest:
    report = {"model": "small", "reason": reason, "message": text}
    return pod("prefetch", containerStatuses=[{"lastState": {"terminated": {"message": json.dumps(report)}}}])


def test_while_the_new_one_is_fetched_the_old_one_is_ready() -> None:
    found = status(NEW, *serving_old(), progress=FetchProgress(model="small", bytes=5, total=9, bytes_per_second=2))
    assert conditions(found)["Ready"] == ("True", "ModelChanging")
    assert conditions(found)["Reconciling"] == ("True", "ModelChanging")
    assert "Stalled" not in conditions(found)
    assert message(found) == "base serves, small is wanted: small is being fetched"
    assert found.model is not None
    assert found.model.progress is not None
    assert (found.model.name, found.model.wanted) == ("base", "small")
    assert (found.model.digest or "").startswith("sha256:ed3a0b6b")
    assert (found.model.wanted_digest or "").startswith("sha256:9ecf7799")
    assert found.model.progress.model_dump() == {"bytes": 5, "total": 9, "bytes_per_second": 2, "seconds_left": 2}


@pytest.mark.parametrize(
    ("failing", "ready", "says"),
    [
        ([], "ModelChanging", "base serves, base is wanted: base is being fetched"),
        (["DownloadFailed"], "ModelChangeFailed", "DownloadFailed: answered 404"),
    ],
)
def test_a_model_that_serves_is_ready_while_it_is_fetched_from_elsewhere(
    failing: list[str], ready: str, says: str
) -> None:
    """Given the same file at another address, or a claim that was lost, the pods go on with what they have."""
    moved = service(model={"name": "base", "source": {"url": "https://m/base.pt", "sha256": OFFICIAL_MODELS["base"]}})
    at_home = service(model={"name": "base", "source": {"url": "https://old/b.pt", "sha256": OFFICIAL_MODELS["base"]}})
    cache = claim(OLD)
    there = [cache, fetched(at_home, cache)]
    there = [*there, deployment(at_home, *there), *(fetch_failing(reason, "answered 404") for reason in failing)]
    found = status(moved, *there)
    assert conditions(found)["Ready"] == ("True", ready)
    assert says in message(found)


def test_nothing_of_the_pods_changes_before_the_new_one_is_there() -> None:
    """Not even what a pod of the new model would ask for."""
    there = serving_old()
    before = next(body for body in there if body["kind"] == "Deployment")
    wanted = one(children(NEW, observed(*there)), "Deployment")
    assert wanted["spec"]["template"] == before["spec"]["template"]


@pytest.mark.parametrize(
    ("reason", "text"),
    [("ChecksumMismatch", "has sha256 ab, but 00 was expected"), ("DownloadFailed", "answered 404 Not Found")],
)
def test_a_fetch_that_fails_leaves_the_old_one_ready_and_says_why(reason: str, text: str) -> None:
    found = status(NEW, *serving_old(), fetch_failing(reason, text))
    assert conditions(found)["Ready"] == ("True", "ModelChangeFailed")
    assert conditions(found)["Stalled"] == ("True", "ModelChangeFailed")
    assert conditions(found)["ModelCached"] == ("False", reason)
    assert message(found, "Stalled") == f"base serves, small is wanted: {reason}: {text}"


def test_a_problem_shows_while_the_fetch_tries_again() -> None:
    progress = FetchProgress(model="small", bytes=5, problem="http://mirror/small.pt sent nothing for 15 s")
    found = status(NEW, *serving_old(), progress=progress)
    assert conditions(found)["Stalled"] == ("True", "ModelChangeFailed")
    assert "sent nothing for 15 s; the fetch tries again" in message(found)


def test_a_cache_too_small_for_the_new_one_fails_the_change_alone() -> None:
    small = service(model={"name": "large-v3"}, cache={"size": "1Gi"})
    there = serving_old()
    there[0] = claim(service(cache={"size": "1Gi"}))
    found = status(small, *there)
    assert conditions(found)["Ready"] == ("True", "ModelChangeFailed")
    assert "spec.cache.size is 1Gi" in message(found)


def test_what_is_wrong_beside_the_model_is_not_hidden_by_its_change() -> None:
    wanted = service(model={"name": "small"}, auth={"secretRef": {"name": "keys"}})
    found = status(wanted, *serving_old(), secrets={"keys": None})
    assert conditions(found)["Ready"] == ("True", "Serving")
    assert conditions(found)["Stalled"] == ("True", "SecretNotFound")


def test_the_pods_roll_once_it_is_there_and_the_last_good_one_is_remembered() -> None:
    there = rolling(NEW, serving_old(NEW), **SURGED)
    rolled = there[-1]
    assert rolled["metadata"]["annotations"][names.ANNOTATION_LAST_GOOD_MODEL] == "base"
    assert resolved(NEW, observed(*there)).model.admitted == ModelRef("small", None)
    found = status(NEW, *there)
    assert conditions(found)["Ready"] == ("True", "ModelChanging")
    assert conditions(found)["Available"] == ("True", "RollingOut")
    assert message(found) == "base serves, small is wanted: pods are being replaced"
    assert found.model is not None
    assert found.model.name == "base"


def test_the_old_ones_place_taken_first_means_not_ready_meanwhile() -> None:
    found = status(NEW, *rolling(NEW, serving_old(NEW), **REPLACED))
    assert conditions(found)["Ready"] == ("False", "RollingOut")


def test_a_change_that_is_through() -> None:
    there = rolling(NEW, serving_old(NEW), **dict.fromkeys(REPLACED, 1))
    found = status(NEW, *there)
    assert conditions(found)["Ready"] == ("True", "AsSpecified")
    assert found.model is not None
    assert (found.model.name, found.model.wanted, found.model.wanted_digest) == ("small", None, None)
    again = one(children(NEW, observed(*there)), "Deployment")
    assert again["metadata"]["annotations"][names.ANNOTATION_LAST_GOOD_MODEL] == "small"


@pytest.mark.parametrize("counts", [SURGED, REPLACED], ids=["Surge", "Replace"])
def test_a_model_that_does_not_prove_itself_leads_back_to_the_last_good_one(counts: dict[str, int]) -> None:
    there = [*rolling(NEW, serving_old(NEW), **counts), crashing("small")]
    back = rolling(NEW, there, **dict.fromkeys(REPLACED, 1))
    assert model_of(back[-1]["spec"]["template"]) == ModelRef("base", None)
    assert resolved(NEW, observed(*back)).model.admitted == ModelRef("base", None)
    found = status(NEW, *back)
    assert conditions(found)["Ready"] == ("True", "ModelChangeFailed")
    assert conditions(found)["Stalled"] == ("True", "ModelChangeFailed")
    assert "100% of the golden clip's words wrong" in message(found)
    assert found.model is not None
    assert (found.model.name, found.model.wanted) == ("base", "small")


def test_one_failure_is_not_enough() -> None:
    there = [*rolling(NEW, serving_old(NEW), **REPLACED), crashing("small", restarts=0)]
    assert resolved(NEW, observed(*there)).model.admitted == ModelRef("small", None)


def test_a_crash_of_the_old_one_is_no_failure_of_the_new_one() -> None:
    there = [*rolling(NEW, serving_old(NEW), **SURGED), crashing("base")]
    assert resolved(NEW, observed(*there)).model.admitted == ModelRef("small", None)


def test_pods_that_do_not_get_ready_in_time_lead_back_too() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    there = rolling(NEW, serving_old(NEW), **REPLACED, conditions=[late])
    found = resolved(NEW, observed(*there)).model
    assert found.admitted == ModelRef("base", None)
    assert found.failed is not None
    assert found.failed.reason == "NotReadyInTime"


PROXY = {"name": "proxy", "env": [{"name": "A", "value": "b"}]}


def behind_a_proxy(body: Manifest, **state: Any) -> Manifest:
    """The pod with a container that an injector has put before ours, in that state."""
    status = {
        "containerStatuses": [{"name": "proxy", **state}, *body["status"]["containerStatuses"]],
        "phase": "Running",
    }
    return {**body, "spec": {"containers": [PROXY, *body["spec"]["containers"]]}, "status": status}


def test_a_model_that_fails_behind_an_injected_container_leads_back_too() -> None:
    there = [*rolling(NEW, serving_old(NEW), **REPLACED), behind_a_proxy(crashing("small"), state={"running": {}})]
    assert resolved(NEW, observed(*there)).model.admitted == ModelRef("base", None)


def test_a_sidecar_that_crashes_is_no_failure_of_the_model() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    crashes = {"restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    starting = pod_of("small", containerStatuses=[{"state": {"running": {}}}])
    there = [*rolling(NEW, serving_old(NEW), **REPLACED, conditions=[late]), behind_a_proxy(starting, **crashes)]
    found = resolved(NEW, observed(*there)).model
    assert found.admitted == ModelRef("small", None)
    assert found.failed is None


def test_a_pod_that_still_loads_its_model_is_waited_for() -> None:
    """The startup probe gives it half an hour, and Kubernetes calls a rollout late after ten minutes."""
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    loading = pod_of("small", phase="Running", containerStatuses=[{"state": {"running": {}}}])
    there = [*rolling(NEW, serving_old(NEW), **REPLACED, conditions=[late]), loading]
    assert resolved(NEW, observed(*there)).model.admitted == ModelRef("small", None)


def failed() -> list[Manifest]:
    """The change has failed, and the last good model serves again."""
    there = [*rolling(NEW, serving_old(NEW), **REPLACED), crashing("small")]
    return rolling(NEW, there, **dict.fromkeys(REPLACED, 1))


def test_it_is_not_tried_again_by_itself_nor_by_a_change_of_other_things() -> None:
    scaled = service(model={"name": "small"}, replicas=3, ingress={})
    assert resolved(scaled, observed(*failed())).model.admitted == ModelRef("base", None)


@pytest.mark.parametrize("annotation", ["", "x", "[]", "{}", '{"model": 1, "spec": 2, "reason": 3, "message": 4}'])
def test_a_record_that_somebody_has_edited_is_none(annotation: str) -> None:
    *others, deployed = serving_old()
    kept = {**deployed["metadata"]["annotations"], names.ANNOTATION_FAILED_MODEL: annotation}
    edited = {**deployed, "metadata": {**deployed["metadata"], "annotations": kept}}
    assert resolved(OLD, observed(*others, edited)).model.failed is None


@pytest.mark.parametrize(
    "fix", [{"model": {"name": "tiny"}}, {"model": {"name": "small"}, "resources": {"limits": {"memory": "9Gi"}}}]
)
def test_a_fix_of_the_spec_goes_on_from_there(fix: dict[str, Any]) -> None:
    fixed = service(**fix)
    there = [*failed(), fetched(fixed, claim(OLD))]
    found = resolved(fixed, observed(*there)).model
    assert found.admitted == ModelRef(fix["model"]["name"], None)
    assert found.failed is None
    kept = one(children(fixed, observed(*there)), "Deployment")["metadata"]["annotations"]
    assert names.ANNOTATION_FAILED_MODEL not in kept


def test_a_first_model_that_fails_has_nothing_to_go_back_to() -> None:
    cache = claim(OLD)
    there = [cache, fetched(OLD, cache)]
    there = [*there, deployment(OLD, *there, **REPLACED), crashing("base")]
    assert resolved(OLD, observed(*there)).model.admitted == ModelRef("base", None)
    assert conditions(status(OLD, *there))["Ready"][0] == "False"


def test_going_back_by_hand_ends_the_change() -> None:
    assert conditions(status(OLD, *failed()))["Ready"] == ("True", "AsSpecified")


def test_a_full_cache_names_what_may_go() -> None:
    report = {
        "model": "small",
        "reason": "NoSpace",
        "message": "/app/models is full",
        "files": {"large-v3-e5b1a55b89c1.pt": 3000, "base-ed3a0b6b1c0e.pt": 145},
    }
    failing = pod("prefetch", containerStatuses=[{"lastState": {"terminated": {"message": json.dumps(report)}}}])
    found = status(NEW, *serving_old(), failing)
    spare = "/app/models is full; this service does not need: large-v3-e5b1a55b89c1.pt (3000 bytes)"
    assert message(found, "ModelCached") == spare
    # In the middle of a change to small, which may lead back to base, tiny is wanted.
    there = rolling(NEW, serving_old(NEW), **SURGED)
    found = status(service(model={"name": "tiny"}), *there, failing)
    assert message(found, "ModelCached") == spare


DIARIZED = service(diarization={})


def telling_speakers(model: str, restarts: int = 1) -> Manifest:
    """A pod that crashes because its encoder is not proven."""
    crashed = crashing(model, restarts)
    crashed["spec"]["containers"][0]["env"].append({"name": "WHISPER_DIARIZATION_MODEL", "value": "resemblyzer"})
    return crashed


def test_speakers_are_switched_on_as_a_model_is_changed_and_need_no_fetch() -> None:
    there = rolling(DIARIZED, serving_old(), **SURGED)
    assert model_of(there[-1]["spec"]["template"]) == ModelRef("base", None, EncoderRef("resemblyzer"))
    found = status(DIARIZED, *there)
    assert conditions(found)["Ready"] == ("True", "ModelChanging")
    assert message(found) == "base serves, base with resemblyzer is wanted: pods are being replaced"
    assert found.model is not None
    assert (found.model.name, found.model.wanted) == ("base", None)
    assert found.diarization is not None
    assert (found.diarization.name, found.diarization.wanted) == (None, "resemblyzer")


def test_and_are_told_once_the_pods_have_proven_them_until_they_are_switched_off() -> None:
    there = rolling(DIARIZED, serving_old(), **dict.fromkeys(REPLACED, 1))
    found = status(DIARIZED, *there)
    assert conditions(found)["Ready"] == ("True", "AsSpecified")
    assert found.diarization is not None
    assert (found.diarization.name, found.diarization.wanted) == ("resemblyzer", None)
    assert (found.diarization.digest or "").startswith("sha256:1f95b4e8")
    there = rolling(OLD, rolling(DIARIZED, there, **dict.fromkeys(REPLACED, 1)), **SURGED)
    changing = status(OLD, *there)
    assert message(changing) == "base with resemblyzer serves, base is wanted: pods are being replaced"
    assert changing.diarization is not None
    assert (changing.diarization.name, changing.diarization.wanted) == ("resemblyzer", None)
    off = status(OLD, *rolling(OLD, there, **dict.fromkeys(REPLACED, 1)))
    assert off.diarization is None


def test_an_encoder_that_does_not_prove_itself_leads_back_to_pods_without_it() -> None:
    there = [*rolling(DIARIZED, serving_old(), **SURGED), telling_speakers("base")]
    back = rolling(DIARIZED, there, **dict.fromkeys(REPLACED, 1))
    assert model_of(back[-1]["spec"]["template"]) == ModelRef("base", None)
    found = status(DIARIZED, *back)
    assert conditions(found)["Ready"] == ("True", "ModelChangeFailed")
    assert message(found).startswith("base serves, base with resemblyzer is wanted: ")
    assert found.diarization is not None
    assert (found.diarization.name, found.diarization.wanted) == (None, "resemblyzer")
    assert resolved(OLD, observed(*back)).model.change is None, "it is switched off again"


OWN_ENCODER = service(
    diarization={"model": {"name": "voices", "source": {"url": "https://m/v.onnx", "sha256": "b" * 64}}}
)


def encoder_failing(reason: str, text: str) -> Manifest:
    report = {"model": "voices", "reason": reason, "message": text}
    ended = {"lastState": {"terminated": {"message": json.dumps(report)}}}
    return pod("prefetch", initContainerStatuses=[{**ended, "name": "fetch-encoder"}])


def test_an_encoder_that_cannot_be_fetched_leaves_the_pods_of_before_and_is_told() -> None:
    text = "https://m/v.onnx has sha256 cc, but bb was expected: correct the digest or the URL"
    there = [*serving_old(), encoder_failing("ChecksumMismatch", text)]
    cache = there[0]
    name = resolved(OWN_ENCODER, observed(cache)).prefetch.job_name
    there[-1]["metadata"]["labels"]["batch.kubernetes.io/job-name"] = name
    found = status(OWN_ENCODER, *there)
    assert conditions(found)["Ready"] == ("True", "ModelChangeFailed")
    assert message(found) == f"base serves, base with voices is wanted: ChecksumMismatch: {text}"
    assert found.diarization is not None
    assert (found.diarization.wanted, found.diarization.wanted_digest) == ("voices", f"sha256:{'b' * 64}")
    assert resolved(OWN_ENCODER, observed(*there)).model.admitted == ModelRef("base", None)


def test_its_progress_is_none_of_the_models() -> None:
    progress = FetchProgress(model="voices", bytes=5, total=9, bytes_per_second=2)
    found = status(OWN_ENCODER, *serving_old(), progress=progress)
    assert found.model is not None
    assert found.model.progress is None
