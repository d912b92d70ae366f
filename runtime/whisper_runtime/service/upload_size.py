"""The bound on a request's body; pure."""

from __future__ import annotations

from whisper_runtime.errors import HttpError


def check_upload_size(body_bytes: int | None, max_bytes: int) -> None:
    """Raises HttpError (413) where a body of the declared length is too large; None: a chunked one."""
    if body_bytes is not None and body_bytes > max_bytes:
        raise upload_too_large(max_bytes)


def upload_too_large(max_bytes: int) -> HttpError:
    """413 for a body of more than `max_bytes`."""
    message = (
        f"The request is larger than the {max_bytes} bytes that this server accepts: "
        "send a shorter or a compressed recording."
    )
    return HttpError(413, message, param="file", code="upload_too_large")
