"""Errors of requests to the API server."""

from __future__ import annotations

from typing import Final

UNCONVERTED: Final = "failed to convert new object"
UNTYPED: Final = ("failed to create typed patch object", UNCONVERTED)
REJECTIONS: Final = frozenset({400, 403, 404, 413, 422})
"""Answers that the same request would get again: somebody has to change something first."""
DENIED: Final = "denied the request"
"""In each denial of an admission webhook, which chooses its status itself.

Source: pkg/admission/plugin/webhook/errors/statuserror.go of k8s.io/apiserver.
"""
UNANSWERED: Final = "failed calling webhook"


class ApiError(Exception):
    """The API server refused a request, or could not be reached (`status` 0)."""

    def __init__(self, request: str, status: int, reason: str, message: str, retry_after: float = 0.0) -> None:
        super().__init__(f"{request}: {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        """Seconds that the API server asks to wait."""

    @property
    def is_rejection(self) -> bool:
        """Whether only a change of the spec, or of the cluster's rules, can help."""
        # A field that no schema knows, or a value of another type, is answered 500, though the fault is in the patch.
        is_no_conflict = self.status == 409 and self.is_denied
        return self.status in REJECTIONS or is_no_conflict or self.message.startswith(UNTYPED)

    @property
    def is_denied(self) -> bool:
        """Whether an admission webhook denied it, with whatever status: often that of a request of its own."""
        return DENIED in self.message

    @property
    def is_webhooks(self) -> bool:
        """Whether an admission webhook denied it, or did not answer."""
        return self.is_denied or UNANSWERED in self.message

    @property
    def is_conflict(self) -> bool:
        """Whether somebody else wrote at the same moment, or has the name: the same request may do another time."""
        return self.status == 409 and not self.is_denied

    @property
    def is_not_found(self) -> bool:
        """Whether there is no such object; an API that is not served, also answered 404, gives no reason."""
        return self.status == 404 and self.reason == "NotFound" and not self.is_denied

    @property
    def names_no_field(self) -> bool:
        """Whether the API server says what is wrong, and not where."""
        return self.message.startswith(UNCONVERTED)


class LeaseLost(Exception):
    """Another replica leads, or may; nothing may be written any more."""
