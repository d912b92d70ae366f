"""Of the warnings about an object, the one that says most is kept, as long as the object and the Event are there."""

from __future__ import annotations

from whisper_operator.observe.records import ObjectId
from whisper_operator.observe.warning_log import LONGEST_MESSAGE, OTHERS_KEPT, WarningLog

POD = ObjectId("Pod", "team", "speech-1")


def event(version: int, reason: str, message: str, uid: str = "u", at: ObjectId = POD) -> dict[str, object]:
    about = {"kind": at.kind, "namespace": at.namespace, "name": at.name, "uid": uid}
    return {"kind": "Event", "type": "Warning", "reason": reason, "message": message, "involvedObject": about,
            "metadata": {"name": message, "resourceVersion": str(version)}}  # fmt: skip


def warn(log: WarningLog, version: int, reason: str, message: str, uid: str = "u") -> bool:
    return log.add(event(version, reason, message, uid), is_ours=True)


def test_the_newest_warning_about_a_pod_is_kept_in_whichever_order_they_are_listed() -> None:
    log = WarningLog()
    for version, message in ((7, "first"), (9, "third"), (8, "second")):
        warn(log, version, "FailedMount", message)
    found = log.of("team")["Pod", "speech-1"]
    assert (found.uid, found.reason, found.message) == ("u", "FailedMount", "third")


def test_of_a_job_it_is_kept_that_its_pod_may_not_be_created() -> None:
    log, job = WarningLog(), ObjectId("Job", "team", "speech-prefetch-1")
    for reason in ("FailedCreate", "BackoffLimitExceeded"):
        log.add(event(1, reason, reason, at=job), is_ours=True)
    assert log.of("team")["Job", "speech-prefetch-1"].reason == "FailedCreate"


def test_a_cause_is_not_hidden_by_a_warning_that_tells_less() -> None:
    log = WarningLog()
    assert warn(log, 1, "FailedMount", "references non-existent secret key: token")
    assert not warn(log, 2, "FailedMount", "Unable to attach or mount volumes: context deadline exceeded")
    assert not warn(log, 3, "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets")
    assert "token" in log.of("team")["Pod", "speech-1"].message
    warn(log, 4, "FailedMount", "Unable to attach or mount volumes: context deadline exceeded", uid="another pod's")
    assert log.of("team")["Pod", "speech-1"].uid == "another pod's"


def test_what_is_no_warning_is_not_kept() -> None:
    log = WarningLog()
    assert not log.add({**event(1, "FailedMount", "x"), "type": "Normal"}, is_ours=True)
    assert not log.add({**event(1, "FailedMount", "x"), "involvedObject": {}}, is_ours=True)
    assert len(log) == 0


def test_of_kedas_objects_the_warning_about_a_trigger_is_kept() -> None:
    log, about = WarningLog(), {"kind": "ScaledObject", "namespace": "team", "name": "speech", "uid": "u"}
    warned = {"kind": "Event", "type": "Warning", "message": "no answer", "involvedObject": about}
    for version, reason, is_kept in ((1, "KEDAScalerFailed", True), (2, "ScaledObjectCheckFailed", False)):
        event = {**warned, "reason": reason, "metadata": {"name": "e", "resourceVersion": str(version)}}
        assert log.add(event, is_ours=True) is is_kept
    assert log.of("team")["ScaledObject", "speech"].message == "no answer"


def test_a_warning_goes_with_its_event_or_its_object() -> None:
    log = WarningLog()
    warn(log, 1, "FailedMount", "first")
    log.expire(event(1, "FailedMount", "another event about it"))
    assert len(log) == 1
    log.expire(event(2, "FailedMount", "first"))
    assert (len(log), log.of("team")) == (0, {})
    warn(log, 3, "FailedMount", "again")
    log.forget(POD)
    assert (len(log), log.of("team")) == (0, {})


def test_a_warning_may_come_before_its_object() -> None:
    log = WarningLog()
    log.add(event(1, "FailedMount", "no volume"), is_ours=False)
    assert log.of("team") == {}
    log.adopt(POD)
    assert log.of("team")["Pod", "speech-1"].message == "no volume"


def test_a_claim_that_no_service_has_made_is_asked_for_by_name() -> None:
    log = WarningLog()
    log.add(
        event(1, "ProvisioningFailed", "no disk", at=ObjectId("PersistentVolumeClaim", "team", "shared")), is_ours=False
    )
    assert log.of("team", "shared")["PersistentVolumeClaim", "shared"].message == "no disk"
    assert log.of("team", "other") == log.of("another", "shared") == {}


def test_others_warnings_are_few_and_displace_none_of_ours() -> None:
    """Given 100 namespaces with 1,000 pods each that cannot be mounted."""
    log = WarningLog()
    warn(log, 1, "FailedMount", "ours")
    for number in range(100_000):
        at = ObjectId("Pod", f"other-{number // 1000}", f"pod-{number}")
        log.add(event(number, "FailedMount", "no volume", at=at), is_ours=False)
    assert len(log) == OTHERS_KEPT + 1
    assert log.of("team")["Pod", "speech-1"].message == "ours"


def test_a_message_is_kept_as_far_as_the_api_server_would_let_it_be() -> None:
    log = WarningLog()
    warn(log, 1, "FailedMount", "x" * 100_000)
    assert len(log.of("team")["Pod", "speech-1"].message) == LONGEST_MESSAGE
