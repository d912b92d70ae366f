"""Each object of a new service is written once: a second write comes between those of whoever works with the object."""

from __future__ import annotations

from collections import Counter

import pytest

from testbed.cluster.controlplane import ControlPlane
from tests.support.at_rest import at_rest, writes
from tests.support.every_child import everything
from tests.support.kubectl import Kubectl
from tests.support.services import complete_fetch, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import WHISPER_SERVICE

pytestmark = pytest.mark.usefixtures("optional_apis", "running", "classes")
WITH_JOBS: Manifest = {"autoscaling": {"minReplicas": 1, "maxReplicas": 1}, "jobs": {}}


def written_more_than_once(plane: ControlPlane, namespace: Kubectl, since: int) -> dict[str, int]:
    counts = Counter(one for one in writes(plane, namespace, since) if f" {WHISPER_SERVICE.plural}/" not in one)
    assert counts
    return {write: count for write, count in counts.items() if count > 1}


@pytest.mark.parametrize("spec", [{}, WITH_JOBS], ids=["every kind", "a claim of jobs and an autoscaler"])
def test_each_object_is_written_once(namespace: Kubectl, plane: ControlPlane, spec: Manifest) -> None:
    since = plane.audit_log.stat().st_size
    namespace.apply(service("speech", **spec) if spec else everything(namespace))
    complete_fetch(namespace, "speech")
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    at_rest(plane, namespace)
    assert written_more_than_once(plane, namespace, since) == {}
