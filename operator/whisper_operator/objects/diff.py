"""Compares a wanted object with the live one, to which the API server and others may have added fields: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from whisper_operator.api.units import quantity
from whisper_operator.objects.field_owners import OwnedFields, below, item_below
from whisper_operator.objects.list_keys import KEY_DEFAULTS, POD_LISTS

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
EMPTY_TEXT: Final = '""'
EMPTY_LIST: Final = "[]"
LEFT_OUT: Final = " (left out)"
"""After the path of a wanted field that is not there."""
BOOKKEEPING: Final = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"})
"""Fields of metadata that change with every write, or by none."""
LIST_KEYS: Final = {
    **POD_LISTS,
    "ports": ("containerPort", "port", "protocol"),
    "ownerReferences": ("uid",),
    "groups": ("name",),
}
"""The keys of a list's items, a Service's and a rule's lists included; every other list is one value."""
ATOMIC_MAPS: Final = frozenset({"selector", "matchLabels", "nodeSelector", "podSelector"})
"""Maps that are one value: whoever adds to one changes what it selects."""
NEVER_DEFAULTED: Final = frozenset(
    {
        *("initContainers", "volumes", "securityContext", "resourceClaims"),
        *("hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace", "hostAliases", "dnsConfig"),
        *("nodeName", "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints"),
        *("priorityClassName", "runtimeClassName"),
        *("command", "args", "env", "envFrom", "ports", "volumeMounts", "lifecycle"),
        "paused",
    }
)
"""Fields that decide what runs, where, and with which rights, and that are there only where somebody wrote them: of a
pod and its containers, and `paused` of a Deployment, which would keep every later change from its pods without a word.
An empty map is none: the API server gives a pod an empty securityContext."""
CLOSED_MAPS: Final = frozenset({"securityContext", "capabilities"})
"""Maps to which the API server adds nothing, and each of whose fields is a right: `runAsUser`, `add`."""
OPEN_LISTS: Final = frozenset({"ownerReferences"})
"""Lists to which anybody may add."""
OPEN_MAPS: Final = frozenset({"metadata", "labels", "annotations"})
"""Maps to which anybody may add: `kubectl rollout restart` annotates the template of the pods."""
OF_CONTROLLERS: Final = frozenset(
    {
        *("replicas", "volumeName", "volumeAttributesClassName", "serviceAccount"),
        *("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "nodePort", "healthCheckNodePort"),
        *("loadBalancerIP", "loadBalancerClass", "allocateLoadBalancerNodePorts"),
    }
)
"""Fields that controllers of the cluster write by an update: of autoscalers, volumes, addresses and load balancers. And
`serviceAccount`, which the API server keeps equal to `serviceAccountName`."""


class Deviation(NamedTuple):
    """One place where the live object is not what is wanted."""

    path: str
    wanted: str
    """As JSON; empty: nothing, so that `live` was added."""
    live: str
    """As JSON; empty: it is not there."""

    @property
    def named(self) -> str:
        """The path as messages have it."""
        return self.path if self.live else self.path + LEFT_OUT

    @property
    def is_added(self) -> bool:
        return not self.wanted

    @property
    def is_left_out(self) -> bool:
        """Whether the API server stores nothing for it, because nothing means the same: `false`, 0, an empty map; or,
        for an empty text, the default that it gives to nothing."""
        return self.wanted == EMPTY_TEXT or (not self.live and _is_zero(orjson.loads(self.wanted)))


def changes(before: JsonValue, after: JsonValue, path: str = "") -> Iterator[str]:
    """Each field that differs between two versions of an object, as `path: old → new`; None where there is none."""
    if isinstance(after, dict) and isinstance(before, dict | None):
        old, new = before or {}, after
        for name in sorted(old.keys() | new.keys()):
            if path != "metadata" or name not in BOOKKEEPING:
                yield from changes(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))
    elif before != after:
        yield f"{path}: {before!r} → {after!r}"


def deviations(
    wanted: JsonValue, live: JsonValue, path: str = "", editors: Sequence[OwnedFields] = ()
) -> Iterator[Deviation]:
    """Everything in `live` that is not as in `wanted`; `path`: where both are.

    `editors`: what each of them owns there (field_owners.py).
    Fields that others added are none, but for items of a list of ours, fields that decide what a pod runs, and what an
    editor owns: nobody owns what the API server or a policy adds to an apply. An empty text may be absent, for the API
    server drops it; a quantity is equal in any spelling.
    """
    return (found for found, _ in _walk(wanted, live, path, tuple(editors)))


def edited(wanted: JsonValue, live: JsonValue, ours: OwnedFields, others: Sequence[OwnedFields]) -> list[Deviation]:
    """The deviations that somebody has written; the rest is what the API server or a policy made of a write.

    `ours`: what our applies own of `live`; an editor takes over what he changes, while an admission plugin changes it
    in our name. `others`: what each editor owns: what is added and nobody's, a policy has added. An empty list that is
    not there is nobody's edit: the API server neither stores it nor notes whose it is, and it says the same.
    Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    return [
        found
        for found, (of_ours, *of_others) in _walk(wanted, live, "", (ours, *others))
        if (any(of is not None for of in of_others) if found.is_added else of_ours is None)
        and (found.wanted, found.live) != (EMPTY_LIST, "")
    ]


def obsolete(wanted: JsonValue, live: JsonValue, ours: OwnedFields) -> list[Deviation]:
    """Returns what our earlier applies added to `live` and is not wanted any more: the next apply removes it."""
    return [found for found, (of_ours,) in _walk(wanted, live, "", (ours,)) if found.is_added and of_ours is not None]


Owners: TypeAlias = "tuple[OwnedFields, ...]"


def _walk(wanted: JsonValue, live: JsonValue, path: str, owners: Owners) -> Iterator[tuple[Deviation, Owners]]:
    """Each deviation, with what each of `owners` owns there."""
    if wanted == live:
        return
    if isinstance(wanted, dict) and isinstance(live, dict) and path.rpartition(".")[2] not in ATOMIC_MAPS:
        yield from _walk_fields(wanted, live, path, owners)
    elif isinstance(wanted, list) and isinstance(live, list):
        yield from _walk_list(wanted, live, path, owners)
    elif not (live is None and wanted in ("", None)) and not _same_quantity(wanted, live):
        yield _deviation(path, wanted, live), owners


def _walk_fields(
    wanted: dict[str, JsonValue], live: dict[str, JsonValue], path: str, owners: Owners
) -> Iterator[tuple[Deviation, Owners]]:
    for name, value in wanted.items():
        # Most fields are equal, and Python compares them faster than a call does.
        if (there := live.get(name)) != value:
            yield from _walk(value, there, field_path(path, name), _below(owners, name))
    for name in _decisive(path, wanted, live, owners) if path.startswith("spec") else ():
        yield _added(field_path(path, name), live[name]), _below(owners, name)


def _below(owners: Owners, name: str) -> Owners:
    # Most objects have no other owners.
    return owners and tuple(below(of, name) for of in owners)


def _decisive(path: str, wanted: dict[str, JsonValue], live: dict[str, JsonValue], owners: Owners) -> Iterator[str]:
    """The fields beside the wanted ones that only somebody can have written."""
    map_name = path.rpartition(".")[2]
    for name, value in live.items():
        if name in wanted:
            continue
        is_never_defaulted = map_name in CLOSED_MAPS or (name in NEVER_DEFAULTED and value != {})
        is_open = map_name in OPEN_MAPS or name in OPEN_MAPS or name in OF_CONTROLLERS
        if is_never_defaulted or (not is_open and any(below(of, name) is not None for of in owners)):
            yield name


def _walk_list(
    wanted: list[JsonValue], live: list[JsonValue], path: str, owners: Owners
) -> Iterator[tuple[Deviation, Owners]]:
    name = path.rpartition(".")[2]
    keys = LIST_KEYS.get(name)
    wanted_by, live_by = (by_key(wanted, keys), by_key(live, keys)) if keys else (None, None)
    if wanted_by is None or live_by is None:
        if len(wanted) != len(live):
            yield _deviation(path, wanted, live), owners
            return
        for index, (item, there) in enumerate(zip(wanted, live, strict=True)):
            yield from _walk(item, there, f"{path}[{index}]", owners)
        return
    for key, item in wanted_by.items():
        yield from _walk(item, live_by.get(key), f"{path}[{key}]", tuple(item_below(of, item) for of in owners))
    for key in live_by.keys() - wanted_by.keys() if name not in OPEN_LISTS else ():
        yield _added(f"{path}[{key}]", live_by[key]), tuple(item_below(of, live_by[key]) for of in owners)


def _deviation(path: str, wanted: JsonValue, live: JsonValue) -> Deviation:
    return Deviation(path, _json(wanted), "" if live is None else _json(live))


def _added(path: str, live: JsonValue) -> Deviation:
    return Deviation(path, "", _json(live))


def _json(value: JsonValue) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _is_zero(value: JsonValue) -> bool:
    return all(map(_is_zero, value.values())) if isinstance(value, dict) else not value


def field_path(path: str, name: str) -> str:
    """The path of the field `name` in the object at `path`."""
    return f"{path}.{name}" if path else name


def by_key(items: list[JsonValue], keys: Sequence[str]) -> dict[str, dict[str, Any]] | None:
    """The items by their keys; None where one has none, or two have the same."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        if not isinstance(item, dict) or not any(key in item for key in keys):
            return None
        found[" ".join(str(item.get(key, KEY_DEFAULTS.get(key, ""))) for key in keys).strip()] = item
    return found if len(found) == len(items) else None


def _same_quantity(wanted: JsonValue, live: JsonValue) -> bool:
    if not isinstance(wanted, str | int) or not isinstance(live, str | int):
        return False
    try:
        return quantity(wanted) == quantity(live)
    except ValueError:
        return False
