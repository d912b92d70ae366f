"""Parses a WhisperService as it is stored, which may be older than the rules of today: pure."""

from __future__ import annotations

from pydantic import ValidationError

from whisper_operator.api import conditions as c
from whisper_operator.api.explain import explain
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import Manifest, WhisperService


class RefusedSpec(Exception):
    """A spec that only its user can mend: reason and message of `Stalled`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def parse(body: Manifest) -> WhisperService:
    """The service in `body`; raises RefusedSpec, whose message names each field."""
    try:
        service = WhisperService.parse(body)
    except ValidationError as error:
        raise RefusedSpec(c.INVALID_SPEC, explain(error)) from None
    if paths := unsupported(service.spec):
        verb = "is" if len(paths) == 1 else "are"
        message = f"{', '.join(paths)} {verb} not implemented in this version: remove it to go on"
        raise RefusedSpec(c.NOT_IMPLEMENTED, message)
    return service
