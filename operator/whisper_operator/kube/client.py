"""All requests to the Kubernetes API but kopf's.

Raw HTTP, because a typed client costs seven times the CPU for each server-side apply.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter
from kubernetes import client

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.credentials import authorization, ssl_context
from whisper_operator.kube.encoding import encoded
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import CHILD_KINDS, CLAIM, EVENT, OPTIONAL_KINDS, WHISPER_SERVICE, Kind
from whisper_operator.objects.names import FIELD_MANAGER
from whisper_operator.telemetry import metrics

REQUEST_SECONDS: Final = 35
"""An admission webhook may take 30 s, after which the API server goes on without it where its policy is Ignore."""
CONNECT: Final = aiohttp.ClientTimeout(total=None, connect=5)
"""No total: aiohttp nests its timer, whose end takes back a cancellation that comes at the same moment. A replica that
woke up after a minute lost its Lease and did not end, because the task whose cancellation was lost went on."""
LIST_CHUNK: Final = 100
"""Objects of a kind in memory at once while they are listed, as dictionaries: docs/reports/operator-bench.md."""
MOST_EVENTS: Final = 50
"""Of one object; there are seldom ten."""
APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
WHOLE_OBJECTS: Final = "application/json"
METADATA_ALONE: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources"""
AGGREGATED_DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
log = logging.getLogger(__name__)


def list_path(kind: Kind, namespace: str | None) -> str:
    """The path of the list of `kind` in one namespace, or (None) in all."""
    return _path(kind, namespace)


def objects_in(kind: Kind, answer: Manifest) -> list[Manifest]:
    """The objects of a list, each with its kind, which the API server leaves out there.

    Of metadata alone, an empty list has null in the place of its items (Kubernetes 1.37).
    """
    return [{**item, "apiVersion": kind.api_version, "kind": kind.kind} for item in answer["items"] or ()]


class _GuardedBody(aiohttp.BytesPayload):
    """A write's body, which asks once more whether it may be sent when nothing is left between it and the socket.

    A connection may have to be made after the first question, and the process may be stopped there for longer than its
    Lease lasts; a write that goes out after that must be allowed then. aiohttp repeats a DELETE: this asks again, too.
    """

    def __init__(self, value: bytes, before_write: Callable[[], None]) -> None:
        super().__init__(value)
        self._before_write = before_write

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self._before_write()
        await super().write_with_length(writer, content_length)


class Cluster:
    """The requests that the operator makes; each raises ApiError."""

    def __init__(
        self,
        configuration: client.Configuration,
        before_write: Callable[[], None] = lambda: None,
        *,
        is_dry: bool = False,
    ) -> None:
        """`before_write` raises to forbid a write: a replica that no longer leads must not make one.

        `is_dry`: the API server validates each write and returns its outcome, and stores nothing.
        """
        self.configuration = configuration
        self.is_dry = is_dry
        self._before_write = before_write
        self._session = aiohttp.ClientSession(
            timeout=CONNECT,
            connector=aiohttp.TCPConnector(limit=32, ssl=ssl_context(configuration)),
            raise_for_status=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def apply(
        self, kind: Kind, manifest: Manifest, *, manager: str = FIELD_MANAGER, subresource: str = ""
    ) -> Manifest:
        """The object after a server-side apply of `manifest` that takes over every field it names."""
        metadata = manifest["metadata"]
        path = _path(kind, metadata["namespace"], metadata["name"], subresource)
        query = {"fieldManager": manager, "force": "true", "fieldValidation": "Strict"}
        return await self._request("PATCH", path, query, manifest, APPLY)

    async def merge(self, kind: Kind, manifest: Manifest) -> Manifest:
        """The object after a JSON merge patch: unlike an apply, it replaces lists as a whole."""
        metadata = manifest["metadata"]
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        return await self._request(
            "PATCH", _path(kind, metadata["namespace"], metadata["name"]), query, manifest, MERGE
        )

    async def scale(self, kind: Kind, live: Manifest, replicas: int) -> None:
        """Sets the number of pods of exactly that version of `live`; 409 where it is another by now."""
        metadata = live["metadata"]
        version = {name: metadata[name] for name in ("uid", "resourceVersion")}
        path = _path(kind, metadata["namespace"], metadata["name"], "scale")
        body: Manifest = {"metadata": version, "spec": {"replicas": replicas}}
        await self._request("PATCH", path, {"fieldManager": FIELD_MANAGER}, body, MERGE)

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """The object; None: it is not there.

        Raises ApiError, 404 where the API itself is not served: an API server that starts answers so for a moment, and
        the object may be there.
        """
        return await self._get(_path(kind, namespace, name))

    async def pages(
        self, kind: Kind, namespace: str | None, selector: str = "", accept: str = WHOLE_OBJECTS
    ) -> AsyncIterator[tuple[list[Manifest], int]]:
        """Every object of `kind` that matches `selector` (labels), in one namespace or (None) in all.

        Yields pages, each with the version of the whole list. `accept`: WHOLE_OBJECTS, or METADATA_ALONE.
        """
        query = {"labelSelector": selector, "limit": str(LIST_CHUNK)}
        while True:
            page = await self._request("GET", _path(kind, namespace), query, accept=accept)
            yield objects_in(kind, page), int(page["metadata"]["resourceVersion"])
            if not (token := page["metadata"].get("continue")):
                return
            query["continue"] = token

    async def list(self, kind: Kind, namespace: str | None, selector: str = "") -> list[Manifest]:
        """Every object of `kind` that matches, in one namespace or (None) in all."""
        return [item async for page, _ in self.pages(kind, namespace, selector) for item in page]

    async def event_reasons(self, namespace: str, uid: str) -> frozenset[str]:
        """The reasons of the Events about an object that are no warnings; of MOST_EVENTS at most."""
        query = {"fieldSelector": f"involvedObject.uid={uid},type=Normal", "limit": str(MOST_EVENTS)}
        found = await self._request("GET", _path(EVENT, namespace), query)
        return frozenset(one.get("reason", "") for one in found["items"])

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        metadata = manifest["metadata"]
        return await self._request("POST", _path(kind, metadata["namespace"]), {}, manifest)

    async def replace(self, kind: Kind, manifest: Manifest) -> Manifest:
        """The object after a replacement that fails with 409 when somebody else wrote in between."""
        metadata = manifest["metadata"]
        return await self._request("PUT", _path(kind, metadata["namespace"], metadata["name"]), {}, manifest)

    async def delete(self, kind: Kind, live: Manifest) -> None:
        """Deletes exactly `live`, not a successor of its name; one that is gone already is no error.

        Raises ApiError, 409 where it is another by now, or where the API server says no more than that it could not: a
        claim is another in any other version, for it may have got its volume meanwhile.
        """
        metadata = live["metadata"]
        version = {"resourceVersion": metadata["resourceVersion"]} if kind == CLAIM else {}
        options = {"propagationPolicy": "Background", "preconditions": {"uid": metadata["uid"], **version}}
        try:
            await self._request("DELETE", _path(kind, metadata["namespace"], metadata["name"]), {}, options)
        except ApiError as error:
            if not error.is_not_found:
                raise

    async def secret_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        """The keys of the Secret that have a value; None: it is not there. The values are dropped here."""
        return await self._keys(f"/api/v1/namespaces/{quote(namespace)}/secrets/{quote(name)}")

    async def config_map_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        """The keys of the ConfigMap that have a value; None: it is not there."""
        return await self._keys(f"/api/v1/namespaces/{quote(namespace)}/configmaps/{quote(name)}")

    async def served_kinds(self) -> frozenset[Kind]:
        """The kinds of children and of device facts that the cluster serves; one request.

        Raises ApiError, too, where our own API is not served.

        Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
        """
        answer = await self._request("GET", "/apis", {}, accept=AGGREGATED_DISCOVERY)
        served = {
            (f"{group['metadata']['name']}/{version['version']}", resource["resource"])
            for group in answer["items"]
            for version in group["versions"]
            for resource in version.get("resources", ())
        }
        if (WHISPER_SERVICE.api_version, WHISPER_SERVICE.plural) not in served:
            message = f"{WHISPER_SERVICE.kind} is not served: apply the CustomResourceDefinition in crds/"
            raise ApiError("GET /apis", 404, "NotFound", message)
        optional = {kind for kind in OPTIONAL_KINDS if (kind.api_version, kind.plural) in served}
        return frozenset(CHILD_KINDS) - OPTIONAL_KINDS | optional

    async def schemas(self, api_version: str, known: str = "") -> tuple[str, Manifest | None]:
        """The address of an API's OpenAPI schemas, which changes with them, and the schemas by name; raises ApiError.

        None where the address is `known` already; the address is empty where the API is not served.
        Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
        """
        index = await self._request("GET", "/openapi/v3", {})
        address = index["paths"].get(f"apis/{api_version}", {}).get("serverRelativeURL", "")
        if address in ("", known):
            return address, None
        document = await self._request("GET", address, {})
        return address, document.get("components", {}).get("schemas", {})

    async def _keys(self, path: str) -> frozenset[str] | None:
        found = await self._get(path)
        if found is None:
            return None
        parts: list[dict[str, str]] = [found.get("data") or {}, found.get("binaryData") or {}]
        return frozenset(key for data in parts for key, value in data.items() if value)

    async def _get(self, path: str, accept: str = "application/json") -> Manifest | None:
        try:
            return await self._request("GET", path, {}, accept=accept)
        except ApiError as error:
            if error.is_not_found:
                return None
            raise

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Manifest | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Manifest:
        if method != "GET":
            self._before_write()
            query = {**query, "dryRun": "All"} if self.is_dry else query
        url = f"{self.configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": accept, "Content-Type": content_type, **authorization(self.configuration)}
        data = None if body is None else _GuardedBody(encoded(body), self._before_write)
        try:
            async with (
                asyncio.timeout(REQUEST_SECONDS),
                self._session.request(method, url, data=data, headers=headers) as response,
            ):
                # A refusal may be plain text; the index of schemas is JSON, whatever it says.
                is_json = response.status < 400 or response.content_type == "application/json"
                text = await response.read()
                answer = orjson.loads(text) if is_json else {"message": text.decode(errors="replace")}
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            metrics.REQUESTS.labels("<error>", method).inc()
            raise ApiError(f"{method} {path}", 0, type(error).__name__, str(error)) from error
        metrics.REQUESTS.labels(str(response.status), method).inc()
        if method != "GET":
            log.debug("%s %s: %d", method, path, response.status)
        if response.status >= 400:
            after = response.headers.get("Retry-After", "")
            raise ApiError(
                f"{method} {path}",
                response.status,
                answer.get("reason", ""),
                answer.get("message", ""),
                float(after) if after.isdigit() else 0.0,
            )
        return answer


def _path(kind: Kind, namespace: str | None, name: str = "", subresource: str = "") -> str:
    prefix = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    scope = f"/namespaces/{quote(namespace)}" if namespace else ""
    parts = [prefix + scope, kind.plural, *([quote(name)] if name else []), *([subresource] if subresource else [])]
    return "/".join(parts)
