"""What the namespace allows: its quotas and limit ranges."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from whisper_operator.api import conditions as c
from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe.facts import amounts
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve import sizing
from whisper_operator.resolve.preflight.finding import Finding, needs_room, wanted_replicas


def quota(service: WhisperService, observed: Observed) -> Finding | None:
    if not needs_room(service, observed):
        return None
    live = observed.get(DEPLOYMENT, service.metadata.name)
    missing = wanted_replicas(service) - (live or {}).get("status", {}).get("replicas", 0)
    short = shortage(service, observed, more=missing)
    return Finding(c.QUOTA_EXCEEDED, f"{short}: raise it, or lower spec.replicas or spec.resources") if short else None


def shortage(service: WhisperService, observed: Observed, *, more: int) -> str | None:
    """Which quota leaves no room for `more` pods, and of what; None where there is room."""
    each = _quota_names(sizing.resources(service.spec))
    for body in observed.facts.quotas or ():
        status = body.get("status", {})
        hard, used = amounts(status.get("hard", {})), amounts(status.get("used", {}))
        for name, amount in each.items():
            left = hard[name] - used.get(name, Decimal(0)) if name in hard else None
            if left is not None and more > 0 and amount * more > left and not body["spec"].get("scopes"):
                pods = "1 more pod needs" if more == 1 else f"{more} more pods need"
                where = f"ResourceQuota {body['metadata']['name']} leaves {left:f}"
                return f"{pods} {amount * more:f} of {name}, and {where}"
    return None


def limit_range(service: WhisperService, observed: Observed) -> Finding | None:
    wanted = sizing.resources(service.spec)
    asked = {name: any_quantity(value) for name, value in wanted["requests"].items()}
    limits = {name: any_quantity(value) for name, value in wanted.get("limits", {}).items()}
    for body in observed.facts.limit_ranges or ():
        for item in body["spec"]["limits"]:
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
        f"set spec.resources.requests.{name} and limits.{name} within it"
    )
    return Finding(c.LIMIT_RANGE_VIOLATED, message)


def _quota_names(wanted: Manifest) -> dict[str, Decimal]:
    """What one pod takes of a quota, by the quota's own names.

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
