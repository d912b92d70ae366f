"""The API server of a context of the kubeconfig, by HTTP."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import quote

import httpx
from kubernetes.config import ConfigException

from whisper_operator.kube.credentials import authorization, credentials, namespace_of, ssl_context
from whisper_runtime.contract.network import METRICS_PORT

SERVICE_LABEL: Final = "whisper-operator.io/service"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
PAGE: Final = 500
"""Objects of one answer to a list, as kubectl asks for."""
TIMEOUT: Final = httpx.Timeout(30.0)
"""Seconds without a byte, after which a question to the API server itself has failed."""
UNTIL_IT_ENDS: Final = httpx.Timeout(30.0, read=None)
"""Of an answer that may have nothing to say for hours: an end of the connection is noticed."""


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
        return self.listed(self._services_path(everywhere=everywhere))

    def whisper_service(self, name: str) -> dict[str, Any]:
        """Raises Failure where the namespace has none of that name."""
        return self.get(f"{self._services_path()}/{quote(name, safe='')}")

    def only_service(self) -> str:
        """The name of the namespace's only service; raises Failure where it has none, or several."""
        names = [one["metadata"]["name"] for one in self.whisper_services()]
        if len(names) == 1:
            return names[0]
        if not names:
            raise Failure(f"no WhisperService in namespace {self.namespace}: name another by -n")
        raise Failure(f"namespace {self.namespace} has {', '.join(sorted(names))}: name one of them")

    def server_pods(self, *, everywhere: bool = False) -> Iterator[dict[str, Any]]:
        """Each pod that serves in the namespace, or in all; raises Failure."""
        return self.listed(
            path_of("v1", "pods", None if everywhere else self.namespace),
            {"labelSelector": f"{SERVICE_LABEL},{COMPONENT_LABEL}=server"},
        )

    def children(self, api_version: str, plural: str, service: str, component: str = "") -> Iterator[dict[str, Any]]:
        """What the service has of that kind in the namespace, of that component or of all; raises Failure."""
        selector = f"{SERVICE_LABEL}={service}" + (f",{COMPONENT_LABEL}={component}" if component else "")
        return self.listed(path_of(api_version, plural, self.namespace), {"labelSelector": selector})

    def report_of(self, pod: Mapping[str, Any], path: str) -> dict[str, Any]:
        """What the pod reports of itself at `path`, on its port for the cluster; raises Failure."""
        return self.get(self.pod_url(pod, path, METRICS_PORT))

    def proxied(self, service: str, path: str) -> str:
        """The URL at which the API server passes a request on to a ready pod behind the Service `service`.

        Source: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
        """
        return f"{path_of('v1', 'services', self.namespace)}/{quote(service, safe='')}:http/proxy{path}"

    def pod_url(self, pod: Mapping[str, Any], path: str, port: int) -> str:
        """The URL at which the API server passes a request on to that port of the pod."""
        pods, name = path_of("v1", "pods", pod["metadata"]["namespace"]), quote(pod["metadata"]["name"], safe="")
        return f"{pods}/{name}:{port}/proxy{path}"

    def listed(self, path: str, parameters: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """The objects of a collection, page by page; raises Failure."""
        following: dict[str, str] = {}
        while True:
            found = self.get(path, {**(parameters or {}), "limit": str(PAGE), **following})
            yield from found["items"]
            if not (token := found["metadata"].get("continue")):
                return
            following = {"continue": token}

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer, which is JSON; raises Failure."""
        return self._answer("GET", path, parameters).json()

    def create(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The object as the API server has it now; raises Failure."""
        return self._answer("POST", path, body=manifest).json()

    def delete(self, path: str, uid: str) -> None:
        """Deletes the object of that UID, and after it what it owns; another of its name stays. Raises Failure."""
        options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        self._answer("DELETE", path, body=options)

    def apply_dry(self, manifest: Mapping[str, Any], api_version: str, plural: str) -> None:
        """Has the API server admit the manifest, and store nothing; raises Failure where it refuses.

        Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
        """
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        path = f"{path_of(api_version, plural, namespace)}/{quote(name, safe='')}"
        parameters = {"dryRun": "All", "fieldManager": "kubectl-whisper", "force": "true"}
        self._answer("PATCH", path, parameters, manifest, {"content-type": "application/apply-patch+yaml"})

    @contextmanager
    def streamed(self, path: str, parameters: Mapping[str, str] | None = None) -> Generator[httpx.Response]:
        """The answer, whose body is still to be read; raises Failure, and httpx.HTTPError in the body."""
        try:
            with self.http.stream("GET", path, params=parameters, timeout=UNTIL_IT_ENDS) as response:
                if response.status_code != HTTPStatus.OK:
                    response.read()
                    raise Failure(refusal(response))
                yield response
        except httpx.ConnectError as error:
            raise self._unreachable(error) from None

    def _answer(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Raises Failure."""
        try:
            response = self.http.request(method, path, params=parameters, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if not response.is_success:
            raise Failure(refusal(response))
        return response

    def _unreachable(self, error: httpx.HTTPError) -> Failure:
        return Failure(f"the API server {self.http.base_url} cannot be reached: {error}")

    def _services_path(self, *, everywhere: bool = False) -> str:
        return path_of("whisper-operator.io/v1alpha1", "whisperservices", None if everywhere else self.namespace)


def path_of(api_version: str, plural: str, namespace: str | None) -> str:
    """The path of a collection; `namespace` None: of all namespaces, or of the cluster's own."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    return f"{root}/namespaces/{quote(namespace, safe='')}/{plural}" if namespace else f"{root}/{plural}"


def refusal(response: httpx.Response) -> str:
    """The sentence in an answer that is no success, whose body has been read: of the API server, or of ours."""
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    found = cast(dict[str, Any], body) if isinstance(body, dict) else {}
    told = cast(dict[str, Any], found["error"]) if isinstance(found.get("error"), dict) else found
    return f"{response.status_code}: {told.get('message') or response.reason_phrase}"
