"""`check`: the preflight of a service that is not applied yet, and its table."""

from __future__ import annotations

import json
from typing import cast

from tests.fakes.cluster import FakeCluster
from tests.operator.passes import STORAGE_CLASS, gpu_node
from tests.operator.samples import ENV, observed, resolved, service
from whisper_operator.cli.check import as_json, check, table
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError

GUARDED = service(auth={"secretRef": {"name": "keys"}}, cache={"type": "EmptyDir"})


def test_the_table_has_a_line_for_each_check() -> None:
    checks = resolved(GUARDED, observed(secrets={"keys": None})).preflight.checks
    lines = list(table("speech", checks))
    assert lines[0] == "WhisperService speech"
    assert lines[1] == "  ok      service account"
    assert lines[2].startswith(
        "  wrong   api keys          Secret team/keys, named in spec.auth.secretRef, does not exist"
    )
    assert "  unknown gpu there         only namespaces may be read" in lines
    assert "  ok      quota" in lines


def test_as_json_it_is_for_programs() -> None:
    checks = resolved(GUARDED, observed(secrets={"keys": None})).preflight.checks
    found = {one["name"]: one for one in json.loads(as_json({"speech": checks}))["speech"]}
    assert found["api keys"]["passed"] is False
    assert "spec.auth.secretRef, does not exist" in found["api keys"]["message"]
    assert "passed" not in found["gpu there"], "nobody knows"


async def outcomes(cluster: FakeCluster) -> dict[str, bool | None]:
    found = await check([GUARDED], cast(Cluster, cluster), ENV)
    return {one.name: one.passed for one in found["speech"]}


async def test_a_service_is_checked_against_the_cluster_and_nothing_is_written() -> None:
    cluster = FakeCluster(STORAGE_CLASS, gpu_node("a"))
    found = await outcomes(cluster)
    assert (found["api keys"], found["memory"], found["quota"]) == (False, True, True)
    assert cluster.writes == []


class Namespaced(FakeCluster):
    """Lets its client read namespaces alone."""

    async def list(self, kind: object, namespace: str | None, selector: str = "") -> list[dict[str, object]]:
        if namespace is None:
            raise ApiError("GET", 403, "Forbidden", "no")
        return []


async def test_where_only_namespaces_may_be_read_the_clusters_checks_are_unknown() -> None:
    found = await outcomes(Namespaced())
    assert (found["api keys"], found["memory"], found["quota"]) == (False, None, True)
