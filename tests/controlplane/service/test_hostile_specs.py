"""Specs that nobody would write: the models, the builders and a real API server agree on every one.

200 of each kind here, 10,000 with `HYPOTHESIS_PROFILE=campaign` (docs/reports/hostile-specs.md).
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import aiohttp
import pytest
from hypothesis import given
from kubernetes import client
from pydantic import ValidationError

from tests.support.hostile.schema import names, service, specs
from tests.support.hostile.wrong import exchanged
from whisper_operator.api.explain import explain
from whisper_operator.api.passthrough import open_parts
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.cli.render import rendered
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.credentials import authorization
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.diff import deviations
from whisper_operator.objects.kinds import WHISPER_SERVICE, by_name
from whisper_operator.observe.installation import Installation

ENV = Installation("registry.example.com/whisper-runtime:1.0.0")
UID = "11111111-2222-3333-4444-555555555555"
LARGEST_MANIFEST = 1024**2
"""etcd takes 1.5 MiB, and the field managers come on top."""
OF_THE_CLUSTER = ("ipFamilies", "ipFamilyPolicy", "nodePort")
T = TypeVar("T")


class DryRunServer:
    """The API server, asked what would come of a write; it stores nothing."""

    def __init__(self, configuration: client.Configuration) -> None:
        self._loop = asyncio.new_event_loop()
        self._cluster = self._run(self._open(configuration))

    async def _open(self, configuration: client.Configuration) -> Cluster:
        return Cluster(configuration, is_dry=True)

    def close(self) -> None:
        self._run(self._cluster.close())
        self._loop.close()

    def create(self, body: Manifest) -> tuple[int, dict[str, Any]]:
        """What `kubectl create --validate=strict` is answered: the code, and the object or the error."""
        return self._run(self._create(body))

    def apply(self, manifests: list[Manifest]) -> list[Manifest | ApiError]:
        return self._run(self._apply(manifests))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    async def _apply(self, manifests: list[Manifest]) -> list[Manifest | ApiError]:
        async def one(manifest: Manifest) -> Manifest | ApiError:
            try:
                return await self._cluster.apply(by_name(manifest["kind"]), manifest)
            except ApiError as error:
                return error

        return await asyncio.gather(*map(one, manifests))

    async def _create(self, body: Manifest) -> tuple[int, dict[str, Any]]:
        configuration, namespace = self._cluster.configuration, body["metadata"]["namespace"]
        path = f"/apis/{WHISPER_SERVICE.api_version}/namespaces/{namespace}/{WHISPER_SERVICE.plural}"
        url = f"{configuration.host}{path}?dryRun=All&fieldValidation=Strict"
        headers = {"Content-Type": "application/json", **authorization(configuration)}
        session: aiohttp.ClientSession = self._cluster._session
        async with session.post(url, data=json.dumps(body).encode(), headers=headers) as response:
            return response.status, await response.json()


@pytest.fixture(scope="module")
def server(configuration: client.Configuration, optional_apis: None) -> Iterator[DryRunServer]:
    found = DryRunServer(configuration)
    yield found
    found.close()


def manifests(body: Manifest) -> list[Manifest]:
    """What the builders make of a WhisperService as the API server stored it."""
    stored = copy.deepcopy(body)
    stored["metadata"]["uid"] = UID
    return rendered(WhisperService.parse(stored), ENV)


def for_any_cluster(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec without the fields of which a cluster may not have every value: test_exposure.py tries those."""
    kept = {name: value for name, value in (spec.get("service") or {}).items() if name not in OF_THE_CLUSTER}
    return {**spec, "service": kept} if "service" in spec else spec


@given(specs(), names())
def test_what_is_admitted_is_built_and_accepted_and_read_back(
    server: DryRunServer, spec: dict[str, Any], name: str
) -> None:
    code, stored = server.create(service(for_any_cluster(spec), name))
    assert code == 201, stored["message"]
    built = manifests(stored)
    assert built == manifests(stored)
    for manifest, live in zip(built, server.apply(built), strict=True):
        assert not isinstance(live, ApiError), live
        assert not list(deviations(manifest, live)), (manifest, live)
        own = (spec.get("serviceAccount") or {}).get("name")
        assert len(manifest["metadata"]["name"]) <= 63 or manifest["metadata"]["name"] == own
        assert len(json.dumps(manifest, ensure_ascii=False).encode()) < LARGEST_MANIFEST


@given(specs(with_open_parts=True))
def test_what_is_wrong_in_an_open_part_is_refused_by_its_field(server: DryRunServer, spec: dict[str, Any]) -> None:
    """Kubernetes' own types in the spec are for the API server to judge: it refuses what was built, or takes it.

    Where it does not say in which field (a value that it cannot convert), the operator says which it can be.
    """
    code, stored = server.create(service(spec))
    assert code == 201, stored["message"]
    parts = open_parts(WhisperService.parse(stored).spec)
    for live in server.apply(manifests(stored)):
        if isinstance(live, ApiError):
            assert live.is_rejection, live
            assert parts if live.names_no_field else names_a_field(live.message), live


@given(exchanged())
def test_the_models_and_the_api_server_refuse_the_same(server: DryRunServer, spec: Any) -> None:
    """The same specs, and by the same field."""
    code, answer = server.create(service(spec))
    mistakes = refused_by_the_models(service(spec))
    if mistakes is None:
        assert code == 201, f"the API server refuses it ({answer['message']}) and the models do not"
    else:
        assert code in (400, 422), f"the models refuse it ({explain(mistakes)}) and the API server does not"
        assert fields_of(answer) & fields_of_models(mistakes), (answer["message"], explain(mistakes))


def refused_by_the_models(body: Manifest) -> ValidationError | None:
    try:
        WhisperService.parse(body)
    except ValidationError as error:
        return error
    return None


def names_a_field(message: str) -> bool:
    return re.search(r"[a-z]+[.\[]", message) is not None


def fields_of(answer: dict[str, Any]) -> set[str]:
    """The fields of spec, two deep, that the API server names: causes where it validates, else in its message."""
    causes = [cause.get("field", "") for cause in answer.get("details", {}).get("causes", ())]
    told = re.findall(r'unknown field "([^"]+)"', answer["message"])
    return {_shortened(field) for field in [*causes, *told]}


def fields_of_models(error: ValidationError) -> set[str]:
    found = {".".join(str(step) for step in mistake["loc"] if isinstance(step, str)) for mistake in error.errors()}
    return {_shortened(field) for field in found}


def _shortened(field: str) -> str:
    return ".".join(re.sub(r"\[[^\]]*\]", "", field).split(".")[:2])
