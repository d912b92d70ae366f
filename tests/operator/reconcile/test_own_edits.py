"""What we wrote other than by an apply becomes our applies', whoever writes in between."""

from __future__ import annotations

from typing import Any, cast

import pytest

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.field_owners import without_our_edits
from whisper_operator.objects.kinds import DEPLOYMENT, Kind
from whisper_operator.reconcile.own_edits import MOST_CONFLICTS, as_applied

OURS = {"manager": "whisper-operator", "operation": "Apply", "fieldsV1": {"f:spec": {}}}
EDIT = {"manager": "whisper-operator", "operation": "Update", "fieldsV1": {"f:spec": {}}}


def deployment(version: int, *managers: Manifest, uid: str = "1") -> Manifest:
    metadata = {"name": "speech", "namespace": "team", "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {**metadata, "managedFields": list(managers)}}


class WrittenByOthers:
    """An API server on which others write so many times before our merge comes."""

    is_dry = False

    def __init__(self, times: int, error: ApiError | None = None, uid: str = "1") -> None:
        self.live, self._left, self._error, self._uid = deployment(1, OURS, EDIT), times, error, uid

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest:
        return self.live

    async def merge(self, kind: Kind, patch: Manifest) -> Manifest:
        version = int(self.live["metadata"]["resourceVersion"])
        if self._left:
            self._left -= 1
            self.live = deployment(version + 1, OURS, EDIT, uid=self._uid)
            raise self._error or ApiError("patch Deployment/speech", 409, "Conflict", "the object has been modified")
        assert patch["metadata"]["resourceVersion"] == str(version)
        self.live = deployment(version + 1, *patch["metadata"]["managedFields"])
        return self.live


async def handed_over(server: WrittenByOthers) -> list[Any]:
    await as_applied(cast(Cluster, server), DEPLOYMENT, server.live, without_our_edits)
    return server.live["metadata"]["managedFields"]


@pytest.mark.parametrize("times", [0, 1, MOST_CONFLICTS])
async def test_a_write_in_between_does_not_keep_it_from_that(times: int) -> None:
    assert await handed_over(WrittenByOthers(times)) == [OURS]


async def test_conflicts_without_end_are_told() -> None:
    with pytest.raises(ApiError, match="modified"):
        await handed_over(WrittenByOthers(MOST_CONFLICTS + 1))


async def test_another_error_is_told_at_once() -> None:
    server = WrittenByOthers(2, ApiError("patch Deployment/speech", 403, "Forbidden", "no"))
    with pytest.raises(ApiError, match="no"):
        await handed_over(server)
    assert server.live["metadata"]["resourceVersion"] == "2"


async def test_another_object_of_the_name_is_left_alone() -> None:
    assert await handed_over(WrittenByOthers(1, uid="2")) == [OURS, EDIT]
