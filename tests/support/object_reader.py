"""Objects as `kubectl get -o json` gives them, over a connection that is kept: kubectl takes 0.2 s of a processor."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from kubernetes import client, config

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube import credentials

DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""Aggregated discovery (KEP-3352): all kinds of all groups in two requests, as kubectl asks for them."""

MAX_RETRIES: Final = 10
"""As in client-go's rest/request.go."""


@dataclass(frozen=True)
class ServedKind:
    version_path: str
    """Path of its version, such as `/apis/apps/v1`."""
    plural: str
    is_namespaced: bool

    def path(self, namespace: str) -> str:
        """Path of the kind's list, in that namespace where the kind has namespaces."""
        within = f"/namespaces/{namespace}" if self.is_namespaced else ""
        return f"{self.version_path}{within}/{self.plural}"


class ObjectReader:
    """Reads from the cluster of a kubeconfig, with its token."""

    def __init__(self, kubeconfig: Path) -> None:
        found = client.Configuration()
        config.load_kube_config(str(kubeconfig), client_configuration=found)  # pyright: ignore[reportUnknownMemberType]
        self._http = httpx.Client(
            base_url=str(found.host),
            verify=credentials.ssl_context(found),
            headers=credentials.authorization(found),
            timeout=60,
        )
        weakref.finalize(self, self._http.close)
        self._kinds: dict[str, ServedKind] = {}

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """The object with its managed fields; None where there is none of that name."""
        answer = self._ask(f"{self._kind(kind).path(namespace)}/{name}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else _body(answer)

    def list(self, kinds: str, namespace: str, selector: str) -> list[Manifest]:
        """The namespace's objects of the kinds, which commas separate, with their managed fields."""
        return [one for kind in kinds.split(",") for one in self._list(self._kind(kind), namespace, selector)]

    def _list(self, kind: ServedKind, namespace: str, selector: str) -> Iterator[Manifest]:
        found = _body(self._ask(kind.path(namespace), labelSelector=selector))
        # The API server leaves the type out of a list's items, but for those of custom resources.
        of = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
        return ({**of, **item} for item in found["items"])

    def _ask(self, path: str, **parameters: str) -> httpx.Response:
        """As client-go does, ask again when the API server says so: of a new API it does while that is set up."""
        for _ in range(MAX_RETRIES):
            answer = self._http.get(path, params=parameters)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return answer
            time.sleep(int(answer.headers["Retry-After"]))
        raise AssertionError(f"{path} was answered 429 {MAX_RETRIES} times")

    def _kind(self, name: str) -> ServedKind:
        """The kind that kubectl calls so: by plural, singular or short name, with its group behind a dot or without."""
        if name.lower() not in self._kinds:
            self._kinds = dict(reversed([*self._served()]))
        return self._kinds[name.lower()]

    def _served(self) -> Iterator[tuple[str, ServedKind]]:
        """Each name with its kind; where two groups have a name, the group that the API server prefers comes first."""
        for root in ("/api", "/apis"):
            for group in _body(self._http.get(root, headers={"Accept": DISCOVERY}))["items"]:
                of = group["metadata"].get("name", "")
                for version in group["versions"]:
                    path = "/".join(part for part in (root, of, version["version"]) if part)
                    for resource in version.get("resources", ()):
                        kind = ServedKind(path, resource["resource"], resource["scope"] == "Namespaced")
                        for name in _names(resource):
                            yield name, kind
                            yield f"{name}.{of}", kind


def _names(resource: Manifest) -> set[str]:
    singular = resource["singularResource"] or resource["responseKind"]["kind"].lower()
    return {resource["resource"], singular, *resource.get("shortNames", ())}


def _body(answer: httpx.Response) -> Manifest:
    """Raises AssertionError with the API server's own words unless it answered well."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    return answer.json()
