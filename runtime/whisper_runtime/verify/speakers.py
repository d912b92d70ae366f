"""Checks that a dialogue's two speakers are told apart, from the upload to the segments."""

from __future__ import annotations

from typing import Final

from whisper_runtime.media.two_voices import DIALOGUE, LEAST_RIGHT, told
from whisper_runtime.verify.checks import CheckFailed, CheckFunction, VerifyTarget, expect_status
from whisper_runtime.verify.functional import ANY_MODEL, TRANSCRIPTIONS


def tells_speakers(target: VerifyTarget) -> str:
    """The words are not compared: the model may know another language than the dialogue's."""
    fields = ANY_MODEL | {"response_format": "diarized_json"}
    body = expect_status(target.server.post(TRANSCRIPTIONS, fields, DIALOGUE.read_bytes()), 200).json
    found = told((segment["start"], segment["end"], segment["speaker"]) for segment in body["segments"])
    if not found.is_right:
        raise CheckFailed(f"{found}, at least {LEAST_RIGHT:.0%} must be: look at spec.diarization.model")
    return str(found)


CHECKS: Final[tuple[tuple[str, CheckFunction], ...]] = (("speakers", tells_speakers),)
"""For servers that tell speakers apart."""
