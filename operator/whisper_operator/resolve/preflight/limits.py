"""The namespace's quotas and limit ranges leave room for the pods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from whisper_operator.api import conditions as c
from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.objects.manifest import status_of
from whisper_operator.observe.facts import amounts
from whisper_operator.resolve import sizing
from whisper_operator.resolve.preflight.finding import CheckInput, Finding


def quota(given: CheckInput) -> Finding | None:
    if not given.needs_room:
        return None
    missing = given.wanted_replicas - given.replicas.existing
    short = shortage(given.spec, given.facts.quotas or (), more=missing)
    return (
        Finding(c.QUOTA_EXCEEDED, f"{short}: raise the quota, or lower spec.replicas or spec.resources")
        if short
        else None
    )


def shortage(spec: Spec, quotas: Sequence[Manifest], *, more: int) -> str | None:
    """A sentence about the quota that leaves no room for `more` pods; None where all leave room."""
    each = _quota_names(sizing.resources(spec)) if quotas and more > 0 else {}
    for body in quotas:
        status = status_of(body)
        hard, used = amounts(status.get("hard", {})), amounts(status.get("used", {}))
        for name, amount in each.items():
            left = hard[name] - used.get(name, Decimal(0)) if name in hard else None
            if left is not None and amount * more > left and not body["spec"].get("scopes"):
                pods = "1 more pod needs" if more == 1 else f"{more} more pods need"
                where = f"ResourceQuota {body['metadata']['name']} leaves {left:f}"
                return f"{pods} {amount * more:f} of {name}, and {where}"
    return None


def limit_range(given: CheckInput) -> Finding | None:
    ranges = [(body, item) for body in given.facts.limit_ranges or () for item in body["spec"]["limits"]]
    asked = amounts(given.resources["requests"]) if ranges else {}
    limits = amounts(given.resources.get("limits", {})) if ranges else {}
    for body, item in ranges:
        if item["type"] not in ("Container", "Pod"):
            continue
        for name, most in amounts(item.get("max", {})).items():
            if max(asked.get(name, Decimal(0)), limits.get(name, Decimal(0))) > most:
                return _outside(body, name, "more", most)
        for name, least in amounts(item.get("min", {})).items():
            if name in asked and asked[name] < least:
                return _outside(body, name, "less", least)
    return None


def _outside(body: Manifest, name: str, how: str, bound: Decimal) -> Finding:
    message = (
        f"a pod asks for {how} {name} than LimitRange {body['metadata']['name']} allows ({bound:f}): "
        f"set spec.resources.requests.{name} and limits.{name} within that bound"
    )
    return Finding(c.LIMIT_RANGE_VIOLATED, message)


def _quota_names(wanted: Manifest) -> dict[str, Decimal]:
    """The amounts that one pod takes of a quota, by the quota's own names.

    Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
    """

    def pairs() -> Iterator[tuple[str, Decimal]]:
        yield "pods", Decimal(1)
        for name, value in wanted["requests"].items():
            yield f"requests.{name}", any_quantity(value)
            if name in ("cpu", "memory"):
                yield name, any_quantity(value)
        for name, value in wanted.get("limits", {}).items():
            yield f"limits.{name}", any_quantity(value)

    return dict(pairs())
