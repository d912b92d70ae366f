"""Parses a WhisperService as it is stored, which may be older than the rules of today."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from pydantic import ValidationError

from whisper_operator.api import conditions as c
from whisper_operator.api.explain import explain
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import Manifest, WhisperService

KEPT: Final = 256
"""Services in memory at once: 45 KiB each, measured with every part of the spec in use."""


class RefusedSpec(Exception):
    """A spec that only its user can mend: reason and message of `Stalled`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Parser:
    """Parses services, and keeps the last ones: a rollout is dozens of passes over the same version."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], WhisperService] = OrderedDict()
        """By uid and version."""

    def parse(self, body: Manifest) -> WhisperService:
        """The service in `body`; raises RefusedSpec, whose message names each field."""
        version = body["metadata"]["uid"], body["metadata"]["resourceVersion"]
        service = self._kept.pop(version, None) or _parse(body)
        self._kept[version] = service
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return service


def _parse(body: Manifest) -> WhisperService:
    try:
        service = WhisperService.parse(body)
    except ValidationError as error:
        raise RefusedSpec(c.INVALID_SPEC, explain(error)) from None
    if paths := unsupported(service.spec):
        verb = "is" if len(paths) == 1 else "are"
        message = f"{', '.join(paths)} {verb} not implemented in this version: remove it to continue"
        raise RefusedSpec(c.NOT_IMPLEMENTED, message)
    return service
