"""The user's own parts of a pod template, merged over the one that was built: pure.

Objects are merged field by field, and the lists below item by item, as `kubectl patch --type=strategic` does; every
other list is replaced. Two directives of its own reach us through every tool, because to all of them they are data:
`$patch: delete` removes what it stands in (a field, or an item of a list), and `$patch: replace` puts an object in the
place of ours. A null removes a field as well, but some tools drop it on the way: a client-side `kubectl apply` does.

Source: https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from whisper_operator.api.units import canonical_quantity
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.list_keys import KEY_DEFAULTS, POD_LISTS

MERGE_KEYS: Final = {
    **POD_LISTS,
    "ports": ("containerPort", "protocol"),
    "tolerations": ("key", "operator", "value", "effect"),
}
"""The fields that identify an item of a list: the patch merge keys of core/v1, and our own for tolerations."""
DIRECTIVE: Final = "$patch"
DELETE: Final = {DIRECTIVE: "delete"}
REPLACE: Final = "replace"
DROPPED_WHEN_EMPTY: Final = frozenset({"labels", "annotations", "nodeSelector", "matchLabels"})
"""Maps that the API server does not store while they are empty."""
_OF_PROBES: Final = frozenset({"timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"})
UNSAID_WHEN_ZERO: Final[Mapping[str, frozenset[str]]] = {
    "livenessProbe": _OF_PROBES,
    "readinessProbe": _OF_PROBES,
    "startupProbe": _OF_PROBES,
    "ports": frozenset({"protocol"}),
}
"""Numbers and keys of items, by the field that they stand in, of which the API server takes 0 or an empty text to mean
its default. Of every other number it stores a 0, or leaves it out."""


def overlaid(template: Manifest, over: Manifest) -> Manifest:
    """`template` with `over` merged over it; the template's own labels stay, for selectors rest on them.

    A value of the wrong type stays as the user wrote it, for the API server to refuse by the field's name.
    """
    merged = _merge(template, _canonical(_with_account_name(over)))
    metadata: Any = merged.get("metadata", {})
    if isinstance(metadata, dict) and isinstance(labels := cast(Manifest, metadata).get("labels", {}), dict):
        merged["metadata"] = {
            **cast(Manifest, metadata),
            "labels": {**cast(Manifest, labels), **template["metadata"]["labels"]},
        }
    return merged


def _with_account_name(over: Manifest) -> Manifest:
    """`over` with the account by its name of today: of the two the API server takes that, and writes it to both."""
    spec: Any = over.get("spec")
    account: Any = cast(Manifest, spec).get("serviceAccount") if isinstance(spec, dict) else None
    if not isinstance(account, str):
        return over
    rest = {name: value for name, value in cast(Manifest, spec).items() if name != "serviceAccount"}
    named = {"serviceAccountName": account} if account and not rest.get("serviceAccountName") else {}
    return {**over, "spec": {**rest, **named}}


def _merge(base: Manifest, over: Manifest) -> Manifest:
    if over.get(DIRECTIVE) == REPLACE:
        return _merge({}, {name: value for name, value in over.items() if name != DIRECTIVE})
    merged = dict(base)
    for name, value in over.items():
        if value is None or _deletes(value):
            merged.pop(name, None)
        elif isinstance(value, dict):
            before = base.get(name)
            merged[name] = _merge(cast(Manifest, before) if isinstance(before, dict) else {}, cast(Manifest, value))
        elif isinstance(value, list) and name in MERGE_KEYS and isinstance(base.get(name, []), list):
            merged[name] = _merge_items(base.get(name, []), cast(list[Any], value), MERGE_KEYS[name])
        else:
            merged[name] = value
    return merged


def _merge_items(base: list[Any], over: list[Any], keys: tuple[str, ...]) -> list[Any]:
    removed = [_identity(item, keys) for item in over if _deletes(item)]
    kept = [(key, item) for item in base if (key := _identity(item, keys)) not in removed]
    merged = [item for _, item in kept]
    places = {key: place for place, (key, _) in enumerate(kept)}
    for item in over:
        if _deletes(item):
            continue
        place = places.get(_identity(item, keys))
        if place is None:
            merged.append(_merge({}, cast(Manifest, item)) if isinstance(item, dict) else item)
        else:
            merged[place] = _merge(merged[place], cast(Manifest, item))
    return merged


def _deletes(value: Any) -> bool:
    return isinstance(value, dict) and DELETE.items() <= cast(Manifest, value).items()


def _identity(item: Any, keys: tuple[str, ...]) -> tuple[str, ...] | None:
    if not isinstance(item, dict):
        return None
    fields = cast(Manifest, item)
    return tuple(str(fields.get(key, KEY_DEFAULTS.get(key, ""))) for key in keys)


def _canonical(value: Any, name: str = "") -> Any:
    """`value` with every quantity as the API server stores it, so that what is applied equals what is read back."""
    if isinstance(value, dict):
        fields = cast(Manifest, value)
        if name in ("requests", "limits"):
            return {key: _quantity(one) for key, one in fields.items()}
        unsaid = UNSAID_WHEN_ZERO.get(name, frozenset())
        return {
            key: _canonical(one, key)
            for key, one in fields.items()
            if (one or key not in DROPPED_WHEN_EMPTY) and not (key in unsaid and _is_zero(one))
        }
    if isinstance(value, list):
        return [_canonical(one, name) for one in cast(list[Any], value)]
    return _quantity(value) if name == "sizeLimit" else value


def _is_zero(value: Any) -> bool:
    return not isinstance(value, bool) and value in ("", 0)


def _quantity(value: Any) -> Any:
    """The canonical form; an invalid quantity stays, for the API server to refuse."""
    if not isinstance(value, str | int | float):
        return value
    try:
        return canonical_quantity(cast(str | int, value))
    except ValueError:
        return value
