"""Parses a WhisperService as it is stored, which may be older than the rules of today.

The status keeps the last spec that was accepted, which is followed while a later one is refused: see
docs/adr/0013-the-last-accepted-spec.md.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import orjson
from pydantic import ValidationError

from whisper_operator.api import conditions as c
from whisper_operator.api.explain import explain
from whisper_operator.api.status import AcceptedSpec
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.observe.defaults import NO_DEFAULTS, Defaults
from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy import violations

KEPT: Final = 256
"""Services in memory at once: 45 KiB each, measured with every part of the spec in use."""
LONGEST: Final = 256 * 1024
"""Characters of a spec that the status keeps: object and copy stay below etcd's limit of 1.5 MiB."""
OF_SIZE: Final = ("replicas", "suspend", "paused")
"""Fields whose change is none of the pods' template."""
K = TypeVar("K")
V = TypeVar("V")


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
    """Parses services, and keeps the last ones: a rollout is dozens of passes over the same version, and dozens of
    versions with the same spec, for each status that is written makes one."""

    def __init__(self, policy: Policy | None = None, defaults: Defaults | None = None) -> None:
        """`policy` and `defaults`: of the installation; None: none."""
        self._policy = policy
        self._defaults = defaults or NO_DEFAULTS
        self._kept: OrderedDict[tuple[str, str], Parsed] = OrderedDict()
        """By uid and version."""
        self._specs: OrderedDict[str, tuple[str, Spec]] = OrderedDict()
        """By uid: the spec that was accepted last, as JSON and parsed."""

    def parse(self, body: Manifest) -> Parsed:
        """Returns what to follow of `body`; raises RefusedSpec, which names each field, where that is nothing."""
        version = body["metadata"]["uid"], body["metadata"]["resourceVersion"]
        parsed = self._kept.pop(version, None) or self._parse(body)
        _keep(self._kept, version, parsed)
        return parsed

    def _parse(self, body: Manifest) -> Parsed:
        accepted = _accepted_before(body)
        try:
            service, spec = self._accept(body)
        except RefusedSpec as refusal:
            return _parse_last_accepted(body, accepted, self._policy, refusal)
        if len(spec) > LONGEST:
            return Parsed(service, None)
        defaults = _defaults_of(body, spec, accepted, self._defaults)
        record = AcceptedSpec(generation=service.metadata.generation, spec=spec, defaults=defaults.as_json())
        return Parsed(_filled(service, defaults), record)

    def _accept(self, body: Manifest) -> tuple[WhisperService, str]:
        """The service in `body`, and its spec as JSON; raises RefusedSpec. The same spec is judged once."""
        uid, text = body["metadata"]["uid"], orjson.dumps(body.get("spec"), option=orjson.OPT_SORT_KEYS).decode()
        before, spec = self._specs.pop(uid, ("", None))
        is_known = spec is not None and before == text
        service = _validated({**body, "spec": spec}) if is_known else _accept(body, self._policy)
        if len(text) <= LONGEST:
            _keep(self._specs, uid, (text, service.spec))
        return service, text


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Adds what is asked for now, and forgets what was asked for longest ago."""
    kept[key] = value
    if len(kept) > KEPT:
        kept.popitem(last=False)


def _parse_last_accepted(
    body: Manifest, accepted: AcceptedSpec | None, policy: Policy | None, refusal: RefusedSpec
) -> Parsed:
    """Returns `body` with its last accepted spec; raises `refusal` where none is known, or it is refused today."""
    if accepted is None:
        raise refusal
    try:
        metadata = {**body["metadata"], "generation": accepted.generation}
        service = _accept({**body, "metadata": metadata, "spec": orjson.loads(accepted.spec)}, policy)
    except (orjson.JSONDecodeError, RefusedSpec):
        raise refusal from None
    # A pause, and its end, are heeded at once, whatever else stands beside it.
    spec = service.spec.model_copy(update={"paused": body["spec"].get("paused") is True})
    service = service.model_copy(update={"spec": spec})
    return Parsed(_filled(service, _recorded(accepted)), accepted, refusal)


def _accepted_before(body: Manifest) -> AcceptedSpec | None:
    try:
        return AcceptedSpec.model_validate(body.get("status", {}).get("accepted"))
    except ValidationError:
        return None


def _defaults_of(body: Manifest, spec: str, accepted: AcceptedSpec | None, now: Defaults) -> Defaults:
    """The defaults that complete `spec`: those recorded with it, for as long as it does not change but in size.

    A service that an earlier release left without a record takes none: its pods would be replaced by the upgrade.
    """
    if accepted is None:
        return NO_DEFAULTS if body.get("status", {}).get("model") else now
    is_same = accepted.spec == spec or _but_for_size(accepted.spec) == _but_for_size(spec)
    return _recorded(accepted) if is_same else now


def _recorded(accepted: AcceptedSpec) -> Defaults:
    """The defaults in the record; none where this version does not know them."""
    try:
        return Defaults.model_validate_json(accepted.defaults or "{}")
    except ValidationError:
        return NO_DEFAULTS


def _but_for_size(spec: str) -> Manifest | None:
    """The spec in that JSON without what scaling, suspending and pausing change; None where it is damaged."""
    try:
        found: Any = orjson.loads(spec)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict):
        return None
    return {name: value for name, value in cast(Manifest, found).items() if name not in OF_SIZE}


def _filled(service: WhisperService, defaults: Defaults) -> WhisperService:
    return service.model_copy(update={"spec": defaults.fill(service.spec)})


def _accept(body: Manifest, policy: Policy | None) -> WhisperService:
    """The service in `body`; raises RefusedSpec."""
    service = _validated(body)
    if paths := unsupported(service.spec):
        verb = "is" if len(paths) == 1 else "are"
        message = f"{', '.join(paths)} {verb} not implemented in this version: remove it to continue"
        raise RefusedSpec(c.NOT_IMPLEMENTED, message)
    metadata = service.metadata
    if policy and (found := violations(body["spec"], metadata.name, metadata.namespace, policy)):
        raise RefusedSpec(c.POLICY_VIOLATED, ". ".join(found))
    return service


def _validated(body: Manifest) -> WhisperService:
    """The service in `body`, whose spec may have been parsed; raises RefusedSpec."""
    try:
        return WhisperService.parse(body)
    except ValidationError as error:
        raise RefusedSpec(c.INVALID_SPEC, explain(error)) from None
