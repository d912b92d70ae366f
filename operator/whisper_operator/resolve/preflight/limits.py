"""The namespace's quotas and limit ranges leave room for the pods that are still to come."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.resolve.asked_pods import FRONTS, SERVES
from whisper_operator.resolve.limit_ranges import refusals
from whisper_operator.resolve.preflight.finding import CheckInput, Finding
from whisper_operator.resolve.quotas import lacking, shortage


def quota(given: CheckInput) -> Finding | None:
    quotas = given.facts.quotas or ()
    to_come = {SERVES: given.wanted_replicas - given.replicas.existing, FRONTS: given.fronts_to_come}
    for pod in given.defaulted_pods:
        if short := shortage(pod, quotas, more=to_come.get(pod.what, 1)):
            remedy = "spec.replicas or spec.resources" if pod.what == SERVES else pod.field
            return Finding(c.QUOTA_EXCEEDED, f"{short}: raise the quota, or lower {remedy}")
    return None


def quota_coverage(given: CheckInput) -> Finding | None:
    """A quota makes some requests and limits mandatory for every container of the namespace."""
    problem = lacking(given.defaulted_pods, given.facts.quotas or ())
    return Finding(c.QUOTA_NEEDS_RESOURCES, problem) if problem else None


def limit_range(given: CheckInput) -> Finding | None:
    ranges = given.facts.limit_ranges or ()
    problems = [problem for pod in given.pods_to_come for problem in refusals(pod, ranges)] if ranges else []
    return Finding(c.LIMIT_RANGE_VIOLATED, "; ".join(problems)) if problems else None
