"""Whatever field a pod template sets, and however it writes a default: nothing is written at rest, nobody is blamed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from kubernetes import client

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.at_rest import at_rest, touched, writes
from tests.support.kubectl import Kubectl
from tests.support.pod_template_fields import OneField, each_field, renamed
from tests.support.services import EMPTY_DIR, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.diff import Deviation, deviations
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.objects.strategic_merge import overlaid

pytestmark = pytest.mark.usefixtures("running")

LABELS = {"a": "b"}
BASE: Manifest = {
    "metadata": {"labels": LABELS},
    "spec": {
        "serviceAccountName": "speech",
        "containers": [{"name": "server", "image": "server", "resources": {"limits": {"cpu": "1"}}}],
    },
}
MORE: Manifest = {"name": "more", "emptyDir": {}}
FEWEST = 700
"""Templates that an API server of 1.37 takes: far fewer, and the fields would not be tried."""


class Stored(NamedTuple):
    of: OneField
    found: list[Deviation]
    """What the API server stores otherwise than it was given."""


@pytest.fixture(scope="module")
def answers(kubectl: Kubectl, configuration: client.Configuration) -> list[Stored]:
    """What the API server makes of each template that it takes; nothing is stored."""
    schemas = json.loads(kubectl("get", "--raw", "/openapi/v3/apis/apps/v1"))["components"]["schemas"]

    async def ask() -> list[Stored | None]:
        cluster, places = Cluster(configuration, is_dry=True), asyncio.Semaphore(8)

        async def in_turn(one: OneField) -> Stored | None:
            async with places:
                return await answer(cluster, one)

        try:
            return await asyncio.gather(*map(in_turn, each_field(schemas)))
        finally:
            await cluster.close()

    return [one for one in asyncio.run(ask()) if one is not None]


async def answer(cluster: Cluster, one: OneField) -> Stored | None:
    """None where the API server refuses it."""
    base: Any = {**BASE, "spec": {**BASE["spec"], "volumes": [] if "volumes" in one.path else [MORE]}}
    template = overlaid(base, one.template)
    metadata = {"name": "probe", "namespace": "default"}
    spec = {"selector": {"matchLabels": LABELS}, "template": template}
    manifest: Manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    try:
        live = await cluster.apply(DEPLOYMENT, manifest)
    except ApiError as error:
        if error.status == 0:
            raise
        return None
    return Stored(one, [*deviations(manifest, live)])


def blamed(answers: list[Stored]) -> Iterator[Stored]:
    for one in answers:
        if found := [each for each in one.found if not each.is_left_out]:
            yield Stored(one.of, found)


def test_no_field_that_the_api_server_has_is_taken_for_a_policys_doing(answers: list[Stored]) -> None:
    """What is not as it was given is not there at all, though it says something: its feature gate is off."""
    assert len(answers) >= FEWEST
    assert [f"{one.of}: {each}" for one in blamed(answers) for each in one.found if each.live] == []


def test_templates_of_defaults_are_at_rest_and_nobody_is_blamed(
    answers: list[Stored], namespace: Kubectl, plane: ControlPlane, running: OperatorProcess
) -> None:
    """Every value at once that the API server drops or replaces because it means a default."""
    unsaid = [one.of for one in answers if one.found and one not in blamed(answers)]
    assert len(unsaid) > 100, unsaid
    stays_at_rest(namespace, plane, running, unsaid)
    assert namespace.condition("speech", "ChildrenMutated") == {}


def test_fields_whose_feature_is_off_are_at_rest_and_told_as_that(
    answers: list[Stored], namespace: Kubectl, plane: ControlPlane, running: OperatorProcess
) -> None:
    left_out = [one.of for one in blamed(answers)]
    stays_at_rest(namespace, plane, running, left_out)
    told = namespace.condition("speech", "ChildrenMutated").get("message", "")
    assert "(left out)" in told
    assert told.endswith("a field is left out, too, where the API server's version or feature gates do not have it")


def stays_at_rest(namespace: Kubectl, plane: ControlPlane, running: OperatorProcess, fields: list[OneField]) -> None:
    """A service whose template sets all of these fields: nothing is written, and after a restart neither."""
    template: Manifest = {"spec": {"volumes": [MORE]}}
    for place, one in enumerate(fields):
        template = overlaid({"metadata": {"labels": {}}, **template}, renamed(one.template, place))
    namespace.apply(service("speech", **EMPTY_DIR, podTemplate=template))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    since = touched(plane, namespace, "wsvc", "deployment")
    running.stop()
    running.start()
    at_rest(plane, namespace)
    assert writes(plane, namespace, since) == []
