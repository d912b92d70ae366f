"""The field `webhook_url` of a form or a batch: an address that will be sent to, or a refusal at the door."""

from __future__ import annotations

from typing import Final

from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.forms import OpenAIForm
from whisper_runtime.http.prefer import Preference
from whisper_runtime.service.jobs.door import TakesJobs
from whisper_runtime.service.outbound.errors import OutboundError, OutboundReason
from whisper_runtime.service.webhooks.attempt import FIELD

REFUSALS: Final[dict[OutboundReason, tuple[str, str]]] = {
    "Invalid": ("invalid_value", "send for example https://hooks.example.com/whisper"),
    "NotAllowed": (
        "webhook_url_not_allowed",
        "leave it out and ask for the job's status, or have the server's operator allow the host",
    ),
    "NotReadable": ("invalid_value", "correct its host"),
}
"""OpenAI's `code`, and the remedy; for other reasons the address may be right, and is tried once the job has ended."""


async def webhook_of(form: OpenAIForm, jobs: TakesJobs | None, preference: Preference | None) -> str | None:
    """Where the event of the job is to be sent; None: nowhere, for the field is absent or empty.

    Raises HttpError (400) where nothing could be sent there, or the request becomes no job.
    """
    url = form.webhook_url
    if url and jobs and jobs.deliverer and preference is None:
        message = f"`{FIELD}` is for jobs: send the header `Prefer: respond-async` too, or leave it out."
        raise HttpError(400, message, param=FIELD, code="invalid_value")
    return await checked_webhook(url, jobs)


async def checked_webhook(url: str | None, jobs: TakesJobs | None) -> str | None:
    """The address, if there is one. Raises HttpError (400) where nothing could be sent there."""
    if not url:
        return None
    if jobs is None or jobs.deliverer is None:
        message = f"`{FIELD}` is not supported by this server, which sends no webhooks: leave it out."
        raise HttpError(400, message, param=FIELD, code="unsupported_parameter")
    try:
        await jobs.deliverer.check(url)
    except OutboundError as error:
        if error.reason in REFUSALS:
            code, remedy = REFUSALS[error.reason]
            raise HttpError(400, f"`{FIELD}` {error.problem}: {remedy}.", param=FIELD, code=code) from None
    return url
