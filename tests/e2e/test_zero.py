"""No pod while nobody asks, and no request lost: a front, the operator, real pods and real speech."""

from __future__ import annotations

import datetime
import itertools
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import jiwer
import pytest

from testbed.inputs.recordings import JFK_WORDS
from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service, patch, reason
from tests.support.traffic import TranscriptionResult, joined, transcribe, transcribing
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.network import METRICS_PORT

MAX_WORD_ERROR_RATE = 0.3
"""Of a sentence of eight words two may be wrong; another's sentence has hardly one of them right."""
WORDS_ALONE = [jiwer.ToLowerCase(), jiwer.SubstituteRegexes({"-": " "}), jiwer.RemovePunctuation()]
NORMALISED = jiwer.Compose([*WORDS_ALONE, jiwer.ReduceToListOfListOfWords()])
SLEEPING = {"minReplicas": 0, "maxReplicas": 1, "scaleToZeroAfter": "15s"}
SINGLE = 6
"""So many recordings there are, of 36 s together; the others join two of them."""
TRANSCRIPT = re.compile(r"<s> (?P<words>.*) </s> \((?P<name>.*)\)")


class SpokenRecording(NamedTuple):
    audio: bytes
    words: str


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    """A service named `sleeper`, of which nothing is said but that it may have no pod."""
    namespace.apply(mirrored_service("sleeper", autoscaling=SLEEPING))
    namespace.wait_ready("sleeper")
    return namespace


@pytest.fixture(scope="module")
def spoken(recordings: Path) -> list[SpokenRecording]:
    """Ten recordings, no two of which say the same."""
    folder = recordings / "librivox"
    found = TRANSCRIPT.finditer((folder / "transcription").read_text())
    single = [SpokenRecording((folder / f"{one['name']}.wav").read_bytes(), one["words"]) for one in found]
    jfk = SpokenRecording((recordings / "jfk.wav").read_bytes(), JFK_WORDS)
    pairs = list(itertools.pairwise(single))
    both = [SpokenRecording(joined([a.audio, b.audio]), f"{a.words} {b.words}") for a, b in pairs]
    return [jfk, *single, *both]


FRONTS: Final[tuple[tuple[dict[str, Any] | None, str], ...]] = ((None, "server"), ({}, "front"))
"""What the spec says of a front, and what clients reach then."""


def test_it_sleeps_once_nobody_asks(service: Kubectl) -> None:
    """The first pod has proven the model; nothing but time passes."""
    sleeps(service)
    assert service.condition("sleeper", "Ready")["status"] == "True"
    assert reason(service, "sleeper", "Awake") == "Idle"
    assert status(service)["replicas"] == 0


def test_ten_requests_at_once_wake_it_and_each_gets_its_own_words(
    service: Kubectl, spoken: list[SpokenRecording]
) -> None:
    began, url = time.time(), service.address("sleeper")
    with ThreadPoolExecutor(len(spoken)) as clients:
        answers = list(clients.map(transcribe, [url] * len(spoken), [one.audio for one in spoken]))
    assert [one.problem for one in answers if one.problem] == []
    rates = [word_error_rate(one.words, answer.text) for one, answer in zip(spoken, answers, strict=True)]
    assert max(rates) <= MAX_WORD_ERROR_RATE, [answer.text for answer in answers]

    zero = awaited("status says how long it took", lambda: measured(service), 60)
    assert zero["reason"] == "Demanded"
    assert zero["lastWake"] > zero["lastSleep"]
    assert seconds_of(zero["lastWake"]) >= int(began)
    assert (
        "requests were held at the front; the first pod was ready" in service.condition("sleeper", "Awake")["message"]
    )
    (pod,) = service.pods_of("sleeper")
    print_parts(began, zero, pod, answers)


def test_a_front_is_small_and_has_no_rights(service: Kubectl) -> None:
    """The namespace enforces the restricted Pod Security Standard, and has admitted it."""
    fronts = service.pods_of("sleeper", "front")
    assert len(fronts) == 2
    for pod in fronts:
        (container,) = pod["spec"]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert pod["spec"]["automountServiceAccountToken"] is False
        name = pod["metadata"]["name"]
        loaded = service("exec", name, "--", "cat", "/proc/1/maps")
        assert "torch" not in loaded
        print(name, service("exec", name, "--", "grep", "VmRSS", "/proc/1/status"))


def test_a_server_that_is_killed_with_requests_under_way_costs_none_of_them(
    service: Kubectl, spoken: list[SpokenRecording]
) -> None:
    """Given two pods behind the front, when one is killed, the other does what it had."""
    patch(service, "sleeper", {"autoscaling": None, "replicas": 2, "front": {}})
    eventually("two pods serve", lambda: service.is_carried_out("sleeper") and len(serving(service)) == 2, 300)
    before = lost(service)
    # No window says a thing twice: where one does, the text is sampled, and is another each time.
    once = spoken[:SINGLE] * 2
    recording = joined([one.audio for one in once])
    with transcribing(service.address("sleeper"), recording, clients=4) as answers:
        victim = awaited("a pod works for the front", lambda: busy(service), 60)
        service("delete", "pod", victim, "--grace-period=0", "--force")
        eventually("a request went on to the other", lambda: lost(service) > before, 120)
        eventually("two pods serve again", lambda: victim not in (now := serving(service)) and len(now) == 2, 300)
    assert answers.problems == []
    rates = [word_error_rate(" ".join(one.words for one in once), text) for text in answers.texts]
    assert max(rates) <= MAX_WORD_ERROR_RATE, answers.texts


def test_a_front_comes_and_goes_and_no_request_fails(service: Kubectl, recordings: Path) -> None:
    address = service.address("sleeper")
    with transcribing(address, (recordings / "jfk.wav").read_bytes(), clients=2) as answers:
        for front, selected in FRONTS:
            patch(service, "sleeper", {"front": front})
            eventually(f"clients reach the {selected}", lambda chosen=selected: selects(service) == chosen, 300)
            if front is None:
                eventually("the front is gone", lambda: not service.pods_of("sleeper", "front"), 240)
            good = answers.good
            eventually(f"the {selected} answers", lambda before=good: answers.good >= before + 4, 120)
    assert answers.problems == []
    assert service.address("sleeper") == address


def sleeps(service: Kubectl) -> None:
    eventually("it sleeps", lambda: reason(service, "sleeper", "Ready") == "ScaledToZero", 240)
    eventually("no pod serves", lambda: not service.pods_of("sleeper"), 120)
    eventually("status says so", lambda: status(service)["replicas"] == 0)


def status(service: Kubectl) -> dict[str, Any]:
    return (service.get("wsvc", "sleeper") or {})["status"]


def measured(service: Kubectl) -> dict[str, Any] | None:
    """What status says of the last wake, once it says how long that took."""
    zero = status(service)["scaleToZero"]
    return zero if "seconds" in zero else None


def selects(service: Kubectl) -> str:
    """The component that clients reach."""
    found = service.get("service", "sleeper")
    assert found is not None
    return found["spec"]["selector"]["app.kubernetes.io/component"]


def serving(service: Kubectl) -> set[str]:
    """The pods that serve, and do not leave."""
    return {
        pod["metadata"]["name"]
        for pod in service.pods_of("sleeper")
        if "deletionTimestamp" not in pod["metadata"] and time_of(pod, "Ready")
    }


def busy(service: Kubectl) -> str | None:
    """A pod that has had a request of the front for a while."""
    for pod in service.pods_of("sleeper"):
        if metric(pod, "whisper_oldest_wait_seconds") > 0:
            return pod["metadata"]["name"]
    return None


def lost(service: Kubectl) -> float:
    """Requests that the front has sent to another pod, for theirs was lost."""
    fronts = service.pods_of("sleeper", "front")
    return sum(metric(pod, 'whisper_front_retry_total{cause="lost"}') for pod in fronts)


def metric(pod: Manifest, name: str) -> float:
    scraped = plain_http.get(f"http://{pod['status']['podIP']}:{METRICS_PORT}/metrics", timeout=30).text
    return sum(float(line.split()[-1]) for line in scraped.splitlines() if line.startswith(f"{name} "))


def word_error_rate(spoken: str, text: str) -> float:
    return jiwer.wer(spoken, text, reference_transform=NORMALISED, hypothesis_transform=NORMALISED)


def print_parts(began: float, zero: dict[str, Any], pod: Manifest, answers: list[TranscriptionResult]) -> None:
    """Seconds since the requests were sent; Kubernetes gives whole ones."""
    state = pod["status"]["containerStatuses"][0]["state"]
    for what, at in (
        ("woken", seconds_of(zero["lastWake"])),
        ("scheduled", time_of(pod, "PodScheduled")),
        ("started", seconds_of(state["running"]["startedAt"])),
        ("ready", time_of(pod, "Ready")),
        ("first words", min(answer.ended for answer in answers)),
        ("last words", max(answer.ended for answer in answers)),
    ):
        print(f"{what}: after {at - began:.1f} s")


def time_of(pod: Manifest, condition: str) -> float:
    """When the pod's condition became True; 0 where it is not."""
    for one in pod["status"].get("conditions", ()):
        if (one["type"], one["status"]) == (condition, "True"):
            return seconds_of(one["lastTransitionTime"])
    return 0.0


def seconds_of(written: str) -> float:
    return datetime.datetime.fromisoformat(written).timestamp()
