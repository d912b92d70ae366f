"""Parses a WhisperService as it is stored, which may be older than the rules of today.

The status keeps the last spec that was accepted, which is followed while a later one is refused: see
docs/adr/0013-the-last-accepted-spec.md.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import orjson
from pydantic import ValidationError

from whisper_operator.api import conditions as c
from whisper_operator.api.explain import explain
from whisper_operator.api.status import AcceptedSpec
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy import violations

KEPT: Final = 256
"""Services in memory at once: 45 KiB each, measured with every part of the spec in use."""
LONGEST: Final = 256 * 1024
"""Characters of a spec that the status keeps: object and copy stay below etcd's limit of 1.5 MiB."""


class RefusedSpec(Exception):
    """A spec that only its user can mend: reason and message of `Stalled`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Parsed:
    service: WhisperService
    """The service to follow: by its spec, or, where that is refused, by the last accepted one and its generation."""
    accepted: AcceptedSpec | None
    """The spec that is followed; None where it is too long to be kept."""
    refusal: RefusedSpec | None = None
    """Why the spec of today is not followed."""


class Parser:
    """Parses services, and keeps the last ones: a rollout is dozens of passes over the same version."""

    def __init__(self, policy: Policy | None = None) -> None:
        """`policy`: of the installation; None: none."""
        self._policy = policy
        self._kept: OrderedDict[tuple[str, str], Parsed] = OrderedDict()
        """By uid and version."""

    def parse(self, body: Manifest) -> Parsed:
        """Returns what to follow of `body`; raises RefusedSpec, which names each field, where that is nothing."""
        version = body["metadata"]["uid"], body["metadata"]["resourceVersion"]
        parsed = self._kept.pop(version, None) or _parse(body, self._policy)
        self._kept[version] = parsed
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return parsed


def _parse(body: Manifest, policy: Policy | None) -> Parsed:
    try:
        service = _accept(body, policy)
    except RefusedSpec as refusal:
        return _parse_last_accepted(body, policy, refusal)
    spec = orjson.dumps(body["spec"], option=orjson.OPT_SORT_KEYS).decode()
    is_kept = len(spec) <= LONGEST
    return Parsed(service, AcceptedSpec(generation=service.metadata.generation, spec=spec) if is_kept else None)


def _parse_last_accepted(body: Manifest, policy: Policy | None, refusal: RefusedSpec) -> Parsed:
    """Returns `body` with its last accepted spec; raises `refusal` where none is known, or it is refused today."""
    try:
        accepted = AcceptedSpec.model_validate(body.get("status", {}).get("accepted"))
        metadata = {**body["metadata"], "generation": accepted.generation}
        service = _accept({**body, "metadata": metadata, "spec": orjson.loads(accepted.spec)}, policy)
    except (ValidationError, orjson.JSONDecodeError, RefusedSpec):
        raise refusal from None
    # A pause, and its end, are heeded at once, whatever else stands beside it.
    spec = service.spec.model_copy(update={"paused": body["spec"].get("paused") is True})
    return Parsed(service.model_copy(update={"spec": spec}), accepted, refusal)


def _accept(body: Manifest, policy: Policy | None) -> WhisperService:
    """The service in `body`; raises RefusedSpec."""
    try:
        service = WhisperService.parse(body)
    except ValidationError as error:
        raise RefusedSpec(c.INVALID_SPEC, explain(error)) from None
    if paths := unsupported(service.spec):
        verb = "is" if len(paths) == 1 else "are"
        message = f"{', '.join(paths)} {verb} not implemented in this version: remove it to continue"
        raise RefusedSpec(c.NOT_IMPLEMENTED, message)
    metadata = service.metadata
    if policy and (found := violations(body["spec"], metadata.name, metadata.namespace, policy)):
        raise RefusedSpec(c.POLICY_VIOLATED, ". ".join(found))
    return service
