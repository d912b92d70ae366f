"""Objects as `kubectl get -o json` gives them, and as kubectl writes them, over a connection that is kept.

kubectl takes 0.2 s of a processor each time.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx
from kubernetes import client, config

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube import credentials

DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""Aggregated discovery (KEP-3352): all kinds of all groups in two requests, as kubectl asks for them."""

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""What `kubectl apply` keeps of the manifest, to know later which fields its user has taken out."""

MAX_RETRIES: Final = 10
"""As in client-go's rest/request.go."""


ESCAPED: Final = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
"""What Go's encoding/json does not leave in a string."""
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"


@dataclass(frozen=True)
class ObjectPath:
    kind: str
    """As kubectl knows it: by plural, singular or short name."""
    namespace: str
    name: str
    subresource: str = ""
    """Such as `status`; empty: the object itself."""


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


class ApiObjects:
    """Reads and writes in the cluster of a kubeconfig, with its token."""

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
        answer = self._ask("GET", f"{self._kind(kind).path(namespace)}/{name}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else _body(answer)

    def list(self, kinds: str, namespace: str, selector: str) -> list[Manifest]:
        """The namespace's objects of the kinds, which commas separate, with their managed fields."""
        return [one for kind in kinds.split(",") for one in self._list(self._kind(kind), namespace, selector)]

    def create(self, body: Manifest, namespace: str, user: str | None) -> bool:
        """Makes the object as `kubectl apply` makes one that is not there; False where the API server does not do so.

        `user`: whom to impersonate; None: nobody.
        """
        if (kind := self._kind_of(body)) is None:
            return False
        manager = {"fieldManager": "kubectl-client-side-apply", "fieldValidation": "Strict"}
        content = json.dumps(_with_last_applied(body, namespace if kind.is_namespaced else None))
        of = body["metadata"].get("namespace", namespace)
        return self._ask("POST", kind.path(of), manager, content, JSON, user).is_success

    def patch(self, path: ObjectPath, change: Manifest, user: str | None) -> bool:
        """As `kubectl patch --type=merge`; False where the API server refuses it."""
        within = f"{self._kind(path.kind).path(path.namespace)}/{path.name}"
        subresource = f"/{path.subresource}" if path.subresource else ""
        manager, content = {"fieldManager": "kubectl-patch"}, json.dumps(change)
        return self._ask("PATCH", f"{within}{subresource}", manager, content, MERGE_PATCH, user).is_success

    def _list(self, kind: ServedKind, namespace: str, selector: str) -> Iterator[Manifest]:
        found = _body(self._ask("GET", kind.path(namespace), {"labelSelector": selector}))
        # The API server leaves the type out of a list's items, but for those of custom resources.
        of = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
        return ({**of, **item} for item in found["items"])

    def _ask(
        self,
        method: str,
        path: str,
        parameters: dict[str, str] | None = None,
        content: str | None = None,
        media_type: str | None = None,
        user: str | None = None,
    ) -> httpx.Response:
        """As client-go does, ask again when the API server says so: of a new API it does while that is set up."""
        headers = {"Content-Type": media_type, "Impersonate-User": user}
        given = {name: value for name, value in headers.items() if value}
        for _ in range(MAX_RETRIES):
            answer = self._http.request(method, path, params=parameters, content=content, headers=given)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return answer
            time.sleep(int(answer.headers["Retry-After"]))
        raise AssertionError(f"{path} was answered 429 {MAX_RETRIES} times")

    def _kind_of(self, body: Manifest) -> ServedKind | None:
        """The kind of a manifest, in its version; None where it is not served."""
        group, _, _ = body["apiVersion"].rpartition("/")
        name = f"{body['kind'].lower()}.{group}"
        found = self._known(name)
        root = "/apis" if group else "/api"
        return replace(found, version_path=f"{root}/{body['apiVersion']}") if found else None

    def _kind(self, name: str) -> ServedKind:
        """The kind that kubectl calls so: by plural, singular or short name, with its group behind a dot or without."""
        if (found := self._known(name.lower())) is None:
            raise KeyError(name)
        return found

    def _known(self, name: str) -> ServedKind | None:
        """The kind of that name; what is served is asked for anew where none has it."""
        if name not in self._kinds:
            self._kinds = dict(reversed([*self._served()]))
        return self._kinds.get(name)

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


def _with_last_applied(body: Manifest, namespace: str | None) -> Manifest:
    """The manifest as `kubectl apply` sends it; `namespace`: where it has none of its own, None: its kind has none."""
    placed = {"namespace": namespace} if namespace else {}
    metadata = {"annotations": {}, **placed, **body["metadata"]}
    applied = json.dumps({**body, "metadata": metadata}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    applied = applied.translate(ESCAPED)
    return {**body, "metadata": {**metadata, "annotations": {**metadata["annotations"], LAST_APPLIED: f"{applied}\n"}}}


def _names(resource: Manifest) -> set[str]:
    singular = resource["singularResource"] or resource["responseKind"]["kind"].lower()
    return {resource["resource"], singular, *resource.get("shortNames", ())}


def _body(answer: httpx.Response) -> Manifest:
    """Raises AssertionError with the API server's own words unless it answered well."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    return answer.json()
