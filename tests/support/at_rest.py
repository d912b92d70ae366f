"""Waits until the operator is at rest in a namespace, has it look again, and tells what it wrote there."""

from __future__ import annotations

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from tests.support.kubectl import Kubectl

LOOKS = 3


def writes(plane: ControlPlane, namespace: Kubectl, since: int, resource: str = "") -> list[str]:
    """What the operator wrote in the namespace, of one resource where it is named, after that byte of the audit log."""
    found = audit.writes(plane.audit_log, OPERATOR, since)
    of = [one for one in found if one.namespace == namespace.namespace and resource in ("", one.resource)]
    return [str(one) for one in of]


def at_rest(plane: ControlPlane, namespace: Kubectl) -> None:
    """Returns once the operator has written nothing in the namespace for a while."""
    since, where = plane.audit_log.stat().st_size, namespace.namespace
    audit.until_quiet(plane.audit_log, OPERATOR, since, limit=60, quiet=4, namespace=where)


def touched(plane: ControlPlane, namespace: Kubectl, *kinds: str) -> int:
    """Has the operator look at `speech` again and again, by annotations of its objects of these kinds, which ask for
    nothing. Returns the byte of the audit log behind which these looks' writes are; the operator is at rest."""
    at_rest(plane, namespace)
    since = plane.audit_log.stat().st_size
    for number in range(LOOKS):
        for kind in kinds:
            namespace.annotate(kind, "speech", touched=number)
    at_rest(plane, namespace)
    return since
