"""Takes out of objects, logs and metrics what may be secret: what is not known to be harmless goes. Pure.

Names of Secrets stay, for they are no secrets, and often the cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from whisper_runtime.contract.config import ENV_NAMES

REMOVED: Final = "[removed]"
KEPT_KEYS: Final = re.compile(
    r"(app|batch|apps|deployment|topology)\.kubernetes\.io/|prometheus\.io/|pod-template-hash$"
    r"|whisper-operator\.io/(?!golden-text$)"
)
"""Beginnings of labels and annotations that the operator or Kubernetes writes: the others' values go."""
KEPT_ARGUMENT: Final = re.compile(
    r"serve|front|fetch|verify|run|--json|--(url|metrics-url)=http://[-.\w:]+|--api-key-file=/[-./\w]+"
)
"""Arguments that the operator writes: the others go."""
DROPPED: Final = frozenset({"managedFields", "accepted", "data", "stringData", "binaryData"})
"""Fields that go with all that is in them: status.accepted repeats the spec as text."""
OPAQUE: Final = frozenset({"volumeAttributes", "options", "parameters", "httpHeaders", "triggers", "text"})
"""Fields whose values are somebody else's, or words of a recording; which of them there are stays."""

NAMED_SECRET: Final = r"(?:password|passwd|secret|token|api[-_]?key|access[-_]?key(?:[-_]?id)?|credentials?)"
"""The end of the name of a field or setting whose value is a secret."""
SECRET_KEY: Final = re.compile(rf"(?i).*{NAMED_SECRET}")
SECRETS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"-----BEGIN [A-Z ]{0,40}KEY-----.*?(-----END [A-Z ]{0,40}KEY-----|\Z)", re.S), REMOVED),
    (re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?"), REMOVED),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {REMOVED}"),
    (re.compile(rf"(?i)({NAMED_SECRET}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?)(?!\[)[^\s\"',;}}\]]+"), rf"\1{REMOVED}"),
    (re.compile(r"\b(hf_|sk-|whsec_|gh[pousr]_|xox[abpr]-|AKIA|ASIA)[\w-]{10,}"), REMOVED),
)
"""What a secret looks like in text, whoever wrote it there, and what is put in its place.

Each pattern ends within a time that grows as the text does: an unbounded part begins at a word's begin alone.
"""
URL: Final = re.compile(r"\b(\w{1,20}://)([^\s\"'<>]+)")


def scrubbed(text: str) -> str:
    """The text without what looks like a secret: credentials and queries of URLs, keys, tokens, values named so."""
    text = URL.sub(lambda found: _without_credentials(found[1], found[2]), text)
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def _without_credentials(scheme: str, rest: str) -> str:
    """A URL without user, password and query; the revision of hf:// and oci:// stays."""
    rest, question, _ = rest.partition("?")
    query = f"?{REMOVED}" if question else ""
    authority, _, path = rest.partition("/")
    port = authority.partition(":")[2]
    has_revision = scheme in ("hf://", "oci://") and "@" not in authority and (not port or port.isdigit())
    if "@" in authority or ("@" in path and not has_revision):  # a password may hold a slash
        rest = f"{REMOVED}@{rest.rpartition('@')[2]}"
    return f"{scheme}{rest}{query}"


def redacted(body: Any, key: str = "") -> Any:
    """An object of the API server, or a part of it that has this name, without what may be secret."""
    if key in OPAQUE:
        return _opaque(body)
    if isinstance(body, Mapping):
        return _mapping(cast(Mapping[str, Any], body), key)
    if isinstance(body, list):
        rule = LISTS.get(key, redacted)
        return [rule(one) for one in cast(list[Any], body)]
    if not isinstance(body, str):
        return body
    return REMOVED if SECRET_KEY.fullmatch(key) else scrubbed(body)


def _mapping(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    if key in ("labels", "annotations"):
        return {name: scrubbed(str(value)) if KEPT_KEYS.match(name) else REMOVED for name, value in body.items()}
    return {name: redacted(value, name) for name, value in body.items() if name not in DROPPED}


def _variable(one: Any) -> Any:
    """A variable of the environment keeps its value where it is a setting of the runtime's."""
    if not isinstance(one, Mapping):
        return REMOVED
    found = cast(dict[str, Any], redacted(one))
    is_shown = found.get("name") in ENV_NAMES and not SECRET_KEY.fullmatch(found["name"])
    return found if is_shown or "value" not in found else {**found, "value": REMOVED}


def _argument(one: Any) -> str:
    return one if isinstance(one, str) and KEPT_ARGUMENT.fullmatch(one) else REMOVED


def _opaque(body: Any) -> Any:
    if isinstance(body, Mapping):
        mapping = cast(Mapping[str, Any], body)
        return {name: value if name in ("name", "type") else _opaque(value) for name, value in mapping.items()}
    return [_opaque(one) for one in cast(list[Any], body)] if isinstance(body, list) else REMOVED


LISTS: Final[Mapping[str, Callable[[Any], Any]]] = {"env": _variable, "args": _argument, "command": _argument}
"""Lists of which not every entry is kept as it is."""
