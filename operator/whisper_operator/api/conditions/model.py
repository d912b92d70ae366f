"""Reasons of ModelCached and Verified: the checkpoint, and the proof that it transcribes."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

CACHED: Final = declare_reason(
    "Cached", types.MODEL_CACHED, meaning="The claim has the checkpoint, and its digest was checked."
)
IN_IMAGE: Final = declare_reason(
    "InImage", types.MODEL_CACHED, meaning="The pods' image contains the checkpoint, or one that they mount."
)
FETCHED_BY_EACH_POD: Final = declare_reason(
    "FetchedByEachPod", types.MODEL_CACHED, meaning="Each pod fetches the checkpoint when it starts."
)
FETCHING: Final = declare_reason(
    "Fetching", types.MODEL_CACHED, meaning="The prefetch Job downloads or checks the checkpoint."
)
VERIFYING: Final = declare_reason(
    "Verifying", types.VERIFIED, meaning="Real requests are being sent, or wait for available pods."
)
VERIFICATION_FAILED: Final = declare_reason(
    "VerificationFailed",
    types.VERIFIED,
    meaning="Real requests failed, or came back with too many wrong words; `status.verification` has each check.",
    remedy="Correct what the checks name, or delete the Job that the message names to verify again.",
    stalls=True,
)
VERIFICATION_BUSY: Final = declare_reason(
    "VerificationBusy",
    types.VERIFIED,
    meaning="For ten minutes the pods' load, or `spec.rateLimit`, left no room for the verification's requests; it is "
    "repeated by itself.",
    remedy="None is needed where load or limits allow it later; else add pods, or raise the limits.",
)
