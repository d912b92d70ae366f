"""The API server of a context of the kubeconfig, by HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import quote

import httpx
from kubernetes.config import ConfigException

from whisper_operator.kube.credentials import authorization, credentials, namespace_of, ssl_context
from whisper_runtime.contract.network import LOAD_PATH, METRICS_PORT

SERVICES: Final = "/apis/whisper-operator.io/v1alpha1"
SERVER_PODS: Final = "whisper-operator.io/service,app.kubernetes.io/component=server"
PAGE: Final = 500
"""Objects of one answer to a list, as kubectl asks for."""
TIMEOUT: Final = httpx.Timeout(30.0)
"""Seconds without a byte, after which a question to the API server itself has failed."""


class Failure(Exception):
    """What ends a command: what went wrong, and what to do about it."""


class KubeApi:
    def __init__(self, context: str | None, namespace: str | None) -> None:
        """The server and the namespace of `context` (None: the current one), or another `namespace`.

        Raises Failure where the kubeconfig does not tell them.
        """
        try:
            configuration = credentials(context)
            self.namespace = namespace or namespace_of(context)
        except ConfigException as error:
            raise Failure(f"no cluster: {error}; set KUBECONFIG, or --context to one that the file has") from None
        self.http = httpx.Client(
            base_url=configuration.host,
            headers=authorization(configuration),
            verify=ssl_context(configuration),
            timeout=TIMEOUT,
            trust_env=False,
            proxy=configuration.proxy,
        )

    def whisper_services(self, *, everywhere: bool = False) -> Iterator[dict[str, Any]]:
        """Each WhisperService of the namespace, or of all; raises Failure."""
        return self._list(f"{SERVICES}/whisperservices" if everywhere else self._path(), {})

    def server_pods(self, *, everywhere: bool = False) -> Iterator[dict[str, Any]]:
        """Each pod that serves in the namespace, or in all; raises Failure."""
        path = "/api/v1/pods" if everywhere else f"/api/v1/namespaces/{quote(self.namespace, safe='')}/pods"
        return self._list(path, {"labelSelector": SERVER_PODS})

    def load_of(self, pod: Mapping[str, Any]) -> dict[str, Any]:
        """What the pod reports of itself, on its port for the cluster; raises Failure."""
        namespace, name = quote(pod["metadata"]["namespace"], safe=""), quote(pod["metadata"]["name"], safe="")
        return self._get(f"/api/v1/namespaces/{namespace}/pods/{name}:{METRICS_PORT}/proxy{LOAD_PATH}", {})

    def whisper_service(self, name: str) -> dict[str, Any]:
        """Raises Failure where the namespace has none of that name."""
        return self._get(f"{self._path()}/{quote(name, safe='')}", {})

    def proxied(self, service: str, path: str) -> str:
        """The URL at which the API server passes a request on to a ready pod behind the Service `service`.

        Source: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
        """
        return (
            f"/api/v1/namespaces/{quote(self.namespace, safe='')}/services/{quote(service, safe='')}:http/proxy{path}"
        )

    def _list(self, path: str, parameters: dict[str, str]) -> Iterator[dict[str, Any]]:
        following: dict[str, str] = {}
        while True:
            found = self._get(path, {**parameters, "limit": str(PAGE), **following})
            yield from found["items"]
            if not (token := found["metadata"].get("continue")):
                return
            following = {"continue": token}

    def _path(self) -> str:
        return f"{SERVICES}/namespaces/{quote(self.namespace, safe='')}/whisperservices"

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        try:
            response = self.http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise Failure(f"the API server {self.http.base_url} cannot be reached: {error}") from None
        if response.status_code != HTTPStatus.OK:
            raise Failure(refusal(response))
        return response.json()


def refusal(response: httpx.Response) -> str:
    """The sentence in an answer that is no success, whose body has been read: of the API server, or of ours."""
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    found = cast(dict[str, Any], body) if isinstance(body, dict) else {}
    told = cast(dict[str, Any], found["error"]) if isinstance(found.get("error"), dict) else found
    return f"{response.status_code}: {told.get('message') or response.reason_phrase}"
