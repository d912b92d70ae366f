"""The types of single fields: durations, sizes, names, and references to other objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from whisper_operator.api.base import INT_OR_STRING, ApiModel, Rule, of_either_type, text, validated
from whisper_operator.api.units import (
    DURATION_PATTERN,
    MAX_DURATION_SECONDS,
    SIZE_PATTERN,
    duration_seconds,
    size_bytes,
)


def _checked_by(parse: Callable[[Any], Any]) -> AfterValidator:
    """Refuses what `parse` raises ValueError for; keeps the value as the user wrote it."""

    def check(value: Any) -> Any:
        parse(value)
        return value

    return AfterValidator(check)


Duration = Annotated[
    str,
    Field(
        max_length=20,
        json_schema_extra=validated(
            f"self.matches('{DURATION_PATTERN}') && duration(self) >= duration('1s')"
            f" && duration(self) <= duration('{MAX_DURATION_SECONDS}s')",
            "is not a duration between 1s and 720h; for example 30s, 10m or 1h30m",
        ),
    ),
    _checked_by(duration_seconds),
]

_SIZE_CEL = (
    f"self.matches('{SIZE_PATTERN.replace(chr(92), chr(92) * 2)}') && !quantity(self).isLessThan(quantity('1'))"
    " && quantity(self).isLessThan(quantity('1Ei'))"
)

ByteSize = Annotated[
    str,
    Field(
        max_length=20,
        json_schema_extra=validated(
            _SIZE_CEL,
            "is not a valid size; for example 512Ki, 100Mi or 10Gi",
        ),
    ),
    _checked_by(size_bytes),
]

VolumeSize = Annotated[
    str,
    Field(
        max_length=20,
        json_schema_extra=validated(
            f"self == 'auto' || ({_SIZE_CEL})",
            "is neither auto nor a valid size; for example 10Gi",
        ),
    ),
    _checked_by(lambda value: value == "auto" or size_bytes(value)),
]

_NO_BATCH_SIZE = "is neither auto nor a whole number from 1 to 256; for example 8"

BatchSize = Annotated[
    Literal["auto"] | Annotated[int, Field(ge=1, le=256)],
    of_either_type(_NO_BATCH_SIZE),
    Field(
        json_schema_extra={
            INT_OR_STRING: True,
            **validated(
                "type(self) == int ? int(self) >= 1 && int(self) <= 256 : string(self) == 'auto'", _NO_BATCH_SIZE
            ),
        }
    ),
]

_PERCENT = "^(100|[0-9]{1,2})%$"

CountOrPercent = Annotated[
    Annotated[int, Field(ge=0, le=1000)] | Annotated[str, Field(pattern=_PERCENT)],
    of_either_type("is neither a whole number from 0 to 1000 nor a percentage from 0% to 100%; for example 1 or 50%"),
    Field(json_schema_extra={INT_OR_STRING: True, "pattern": _PERCENT, "minimum": 0, "maximum": 1000}),
]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_OF_LETTERS = "[a-z]([-a-z0-9]*[a-z0-9])?|[0-9]+[a-z]([-a-z0-9]*[a-z0-9])?"
"""A host's last label: one of digits alone would be part of an IP address, which Kubernetes does not take as a host."""
SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
"""A DNS subdomain name of RFC 1123, by which Kubernetes names objects."""

ObjectName = Annotated[
    str,
    *text(
        f"^{SUBDOMAIN}$",
        "is not a valid object name; use lower-case letters, digits, hyphens, and dots between them",
        longest=253,
    ),
]
DataKey = Annotated[
    str,
    *text(
        "^[-._a-zA-Z0-9]+$",
        "is not a valid key of a Secret or ConfigMap; use letters, digits, '-', '_' and '.'",
        longest=253,
    ),
]
Host = Annotated[
    str,
    *text(
        rf"^(\*\.)?({_LABEL}\.)*({_LABEL_OF_LETTERS})$",
        "is not a valid host name; for example speech.example.com, without scheme, port or path; no IP address",
        longest=253,
    ),
]
AMBIGUOUS: Final = "//|/[.]{1,2}(/|$)|%2[fF]"
"""Parts of a URL's path that the API server refuses."""
UrlPath = Annotated[
    str,
    *text("^/[!-~]*$", "is not a valid path; for example /speech, beginning with / and without spaces", longest=512),
]
"""Its form alone: each part that has one needs the rule `unambiguous`."""


def unambiguous(message: str) -> Rule:
    """The rule that the `path` of a part has nothing of AMBIGUOUS in it."""
    return Rule(f"!self.path.matches('{AMBIGUOUS}')", message, lambda self: not re.search(AMBIGUOUS, self.path))


AddressRange = Annotated[
    str,
    *text(
        "^[0-9a-fA-F.:]+(/[0-9]{1,3})?$",
        "is not an address or a network; for example 10.0.0.0/8 or fd00::/8",
        longest=64,
    ),
]
"""Its form alone: a rule of each field that takes one checks by `is_network`, as the API server does by isCIDR."""
Opaque = Annotated[dict[str, Any], Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]
"""An object of Kubernetes' own API, passed on as it is; the API server validates it in the child."""


class LocalRef(ApiModel):
    """A field of this type is named by the object's kind, as KeyRef's with a key: secretRef, caConfigMapKeyRef."""

    name: ObjectName
    """Name of the object, in the service's namespace."""


class KeyRef(ApiModel):
    name: ObjectName
    """Name of the object, in the service's namespace."""
    key: DataKey
    """Key in the object's data."""


def is_network(value: str) -> bool:
    """Whether it is an address or a network, by Kubernetes' reading: https://pkg.go.dev/net/netip."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return True
