"""Of the warnings about an object, the one that says most is kept."""

from __future__ import annotations

from whisper_operator.observe.warning_log import WARNINGS_KEPT, WarningLog


def warn(log: WarningLog, version: int, reason: str, message: str, uid: str = "u", name: str = "speech-1") -> bool:
    about = {"kind": "Pod", "namespace": "team", "name": name, "uid": uid}
    return log.add({"kind": "Event", "type": "Warning", "reason": reason, "message": message, "involvedObject": about,
                    "metadata": {"name": message, "resourceVersion": str(version)}})  # fmt: skip


def test_the_newest_warning_about_a_pod_is_kept_in_whichever_order_they_are_listed() -> None:
    log = WarningLog()
    for version, message in ((7, "first"), (9, "third"), (8, "second")):
        warn(log, version, "FailedMount", message)
    found = log.of("team")["Pod", "speech-1"]
    assert (found.uid, found.reason, found.message) == ("u", "FailedMount", "third")


def test_of_a_job_it_is_kept_that_its_pod_may_not_be_created() -> None:
    log = WarningLog()
    about = {"kind": "Job", "namespace": "team", "name": "speech-prefetch-1", "uid": "u"}
    for reason in ("FailedCreate", "BackoffLimitExceeded"):
        log.add({"kind": "Event", "type": "Warning", "reason": reason, "message": reason, "involvedObject": about,
                 "metadata": {"name": reason, "resourceVersion": "1"}})  # fmt: skip
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
    about = {"kind": "Pod", "namespace": "team", "name": "speech-1", "uid": "u"}
    normal = {"kind": "Event", "type": "Normal", "reason": "FailedMount", "involvedObject": about}
    assert not log.add({**normal, "metadata": {"name": "x", "resourceVersion": "1"}})
    assert log.of("team") == {}


def test_a_namespace_keeps_its_newest_warnings() -> None:
    log = WarningLog()
    for number in range(WARNINGS_KEPT + 1):
        warn(log, number, "FailedMount", "no volume", name=f"pod-{number}")
    assert len(log.of("team")) == WARNINGS_KEPT
    assert ("Pod", "pod-0") not in log.of("team")
