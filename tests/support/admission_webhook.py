"""Admission webhooks for the resources of one namespace."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.web_server import FakeRequest, answering
from tests.support.certificates import self_signed
from tests.support.kubectl import Kubectl


@contextmanager
def webhook(
    namespace: Kubectl,
    url: str,
    *resources: str,
    operations: tuple[str, ...] = ("*",),
    authority: bytes = b"",
    seconds: int = 2,
) -> Iterator[None]:
    """Nothing of the resources is written without the webhook at `url` while the block runs.

    `authority`: the webhook's own certificate, as PEM; `seconds`: that it may take to answer, 30 at most.
    """
    name = f"{namespace.namespace}.example.com"
    bundle = {"caBundle": base64.b64encode(authority).decode()} if authority else {}
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace.namespace}}
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": list(operations), "resources": list(resources)}
    hook: dict[str, Any] = {
        "name": name,
        "clientConfig": {"url": url, **bundle},
        "rules": [rule],
        "namespaceSelector": selector,
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": seconds,
    }
    api = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    namespace("apply", "-f", "-", stdin=json.dumps({**api, "metadata": {"name": name}, "webhooks": [hook]}))
    try:
        yield
    finally:
        namespace("delete", "validatingwebhookconfiguration", name)


class ReviewRequest(FakeRequest):
    """What the API server asks a webhook about one write; a subclass answers it."""

    def read_review(self) -> dict[str, Any]:
        """Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"""
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        return found

    def answer_review(self, review: dict[str, Any], denial: dict[str, Any] | None = None) -> None:
        """`denial`: the status of that; None: it is let in."""
        status = {} if denial is None else {"status": denial}
        answer = {"uid": review["uid"], "allowed": denial is None, **status}
        body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
        self.answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def reviewing(
    handler: type[ReviewRequest], namespace: Kubectl, directory: Path, *resources: str, seconds: int, **state: Any
) -> Iterator[None]:
    """A webhook for the resources, whose requests `handler` answers by TLS; they have `state`."""
    certificate, key = self_signed(directory)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with (
        answering(handler, tls=context, **state) as url,
        webhook(namespace, url, *resources, authority=certificate.read_bytes(), seconds=seconds),
    ):
        yield
