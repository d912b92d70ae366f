"""Speakers on the real cluster: one line in the manifest, and OpenAI's own client is told whose words they are.

It is the manifest of docs/how-to/speakers.md, with the cluster's own mirror of models.
"""

from __future__ import annotations

from pathlib import Path

import openai
import pytest
from openai.types.audio import TranscriptionDiarized

from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service, patch
from tests.support.traffic import transcribing
from tests.support.waiting import eventually
from whisper_runtime.media.two_voices import DIALOGUE, told

NAME = "meetings"


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    """A service without speakers, whose verification sends real requests."""
    namespace.apply(mirrored_service(NAME, verification={}))
    namespace.wait_ready(NAME)
    return namespace


def asked(kubectl: Kubectl) -> TranscriptionDiarized:
    with openai.OpenAI(base_url=f"{kubectl.address(NAME)}/v1", api_key="none", timeout=300, max_retries=0) as client:
        found = client.audio.transcriptions.create(
            file=DIALOGUE, model="whisper-1", response_format="diarized_json", chunking_strategy="auto"
        )
    assert isinstance(found, TranscriptionDiarized)
    return found


def settled(kubectl: Kubectl, encoder: str | None) -> bool:
    found = kubectl.settled_status(NAME)
    return found is not None and (found.get("diarization") or {}).get("name") == encoder


def test_without_it_a_request_is_told_how_to_switch_it_on(service: Kubectl) -> None:
    with pytest.raises(openai.BadRequestError, match=r"set spec\.diarization to {}"):
        asked(service)


def test_one_line_switches_it_on_while_requests_are_answered(service: Kubectl, recordings: Path) -> None:
    with transcribing(service.address(NAME), (recordings / "jfk.wav").read_bytes()) as answers:
        patch(service, NAME, {"diarization": {}})
        seconds = eventually("speakers are told apart", lambda: settled(service, "resemblyzer"), 300)
    print(f"told apart {seconds:.0f} s after the manifest, beside {answers.good} answers")
    assert answers.problems == []


def test_the_two_of_a_dialogue_are_a_and_b(service: Kubectl) -> None:
    found = asked(service)
    assert found.segments[0].speaker == "A"
    assert told((one.start, one.end, one.speaker) for one in found.segments).is_right, found.segments


def test_the_verification_has_asked_for_speakers_too(service: Kubectl) -> None:
    checks = {one["name"]: one["passed"] for one in service.settled_status(NAME)["verification"]["checks"]}
    assert checks["speakers"] is True
