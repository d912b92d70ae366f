"""A validating webhook that answers 500 for one kind, as a policy engine whose backend is gone."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from typing import Any, Final, Self

from aiohttp import web

from chaos.prerequisites import NAMESPACE
from testbed import operator_plane
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import Kind

NAME: Final = "campaign.example.com"


class RefusingWebhook:
    """Registered for every write of `kind` in the campaign's namespace while the block runs.

    It refuses while `inject` runs, and lets everything in afterwards.
    """

    def __init__(self, plane: ControlPlane, kind: Kind) -> None:
        self.injected = 0
        """Writes of the operator that were refused."""
        self._plane, self._kind = plane, kind
        self._is_refusing = False
        self._refused: set[str] = set()

    async def inject(self, seconds: float) -> None:
        """Answers 500 for so long."""
        self._is_refusing = True
        await asyncio.sleep(seconds)
        self._is_refusing = False

    async def wrong(self, admin: Cluster) -> frozenset[str]:
        """The children, as Kind/name, whose last write of the operator was refused."""
        return frozenset(self._refused)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._review)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._plane.certificate, self._plane.certificate.with_suffix(".key"))
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        body = json.dumps(self._configuration(self._runner.addresses[0][1]))
        await asyncio.to_thread(operator_plane.kubectl, self._plane, "apply", "-f", "-", stdin=body)
        return self

    async def __aexit__(self, *error: object) -> None:
        # The API server asks the webhook until it knows that it is gone, so it goes first.
        arguments = ("delete", "validatingwebhookconfiguration", NAME)
        await asyncio.to_thread(operator_plane.kubectl, self._plane, *arguments)
        await self._runner.cleanup()

    async def _review(self, request: web.Request) -> web.Response:
        """Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"""
        review: dict[str, Any] = (await request.json())["request"]
        is_operators = review["userInfo"]["username"] == OPERATOR and not review.get("dryRun")
        child = f"{self._kind.kind}/{review['name']}"
        if self._is_refusing:
            if is_operators:
                self.injected += 1
                self._refused.add(child)
            return web.Response(status=500, text="by the campaign")
        if is_operators:
            self._refused.discard(child)
        answer = {"uid": review["uid"], "allowed": True}
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer})

    def _configuration(self, port: int) -> dict[str, Any]:
        authority = base64.b64encode(self._plane.certificate.read_bytes()).decode()
        rule = {
            "apiGroups": [self._kind.group],
            "apiVersions": [self._kind.version],
            "operations": ["*"],
            "resources": [self._kind.plural],
        }
        hook = {
            "name": NAME,
            "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": authority},
            "rules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": NAME},
            "webhooks": [hook],
        }
