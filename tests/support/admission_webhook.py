"""Admission webhooks for the resources of one namespace."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
