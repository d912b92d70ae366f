"""Checks a job from its upload to its end. It is deleted in any case: no client finds it among its own."""

from __future__ import annotations

from typing import Any, Final

from whisper_runtime.verify.checks import CheckFailed, CheckFunction, VerifyTarget, expect_status
from whisper_runtime.verify.client import ServerBusy
from whisper_runtime.verify.functional import ANY_MODEL, TRANSCRIPTIONS, check_words, words_of_cues

ASYNCHRONOUSLY: Final = {"Prefer": "respond-async"}
POLL_SECONDS: Final = 20
LIVE: Final = frozenset({"queued", "in_progress"})


def keeps_jobs(target: VerifyTarget) -> str:
    """Raises ServerBusy where the job waits behind others for as long as a busy server is waited for."""
    fields = ANY_MODEL | {"language": target.clip_language, "response_format": "srt"}
    accepted = target.server.post(TRANSCRIPTIONS, fields, target.clip, ASYNCHRONOUSLY)
    path = f"{TRANSCRIPTIONS}/{expect_status(accepted, 202).json['id']}"
    try:
        job = _ended(target, path)
        if job["status"] != "completed":
            raise CheckFailed(f"the job is {job['status']}: {job['error'] and job['error']['message']}")
        content = expect_status(target.server.get(f"{path}/content"), 200).text
        found = check_words(words_of_cues(content), target)
    finally:
        deleted = target.server.delete(path)
    expect_status(deleted, 200)
    expect_status(target.server.get(path), 410)
    return f"accepted, done by {job['model']} in attempt {job['attempts']}, read and deleted; {found}"


def _ended(target: VerifyTarget, path: str) -> Any:
    """The job once it has ended. Raises ServerBusy where it is queued for too long, CheckFailed where it hangs."""
    while True:
        left = target.server.patience_left
        wait = int(min(POLL_SECONDS, max(0.0, left)))
        job = expect_status(target.server.get(f"{path}?wait={wait}"), 200).json
        if job["status"] not in LIVE:
            return job
        if left <= 0 and job["status"] == "queued":
            raise ServerBusy("the job of the verification waits behind others")
        if left <= 0:
            raise CheckFailed("the job is not done, although it was begun and is short")


CHECKS: Final[tuple[tuple[str, CheckFunction], ...]] = (("job", keeps_jobs),)
"""For servers that keep jobs."""
