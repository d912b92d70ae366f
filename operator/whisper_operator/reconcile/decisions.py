"""Step 2 of a pass: resolve, with what only the API server can tell about a rollout (I/O)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import deployment
from whisper_operator.build.server_pod import wanted_template
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.child_writer import is_earlier_answer
from whisper_operator.reconcile.dereference import requests_by_node
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.resolve import rollout
from whisper_operator.resolve.decision import Rollout
from whisper_operator.resolve.resolved import Resolved, resolve
from whisper_operator.telemetry.tracing import SPANS


class Decisions:
    """Resolves a service, and reads what its rollout is decided by."""

    def __init__(self, cluster: Cluster, answers: Answers, installation: Callable[[], Installation]) -> None:
        """`answers`: takes what the API server has made of the Deployment before this process began."""
        self._cluster, self._answers, self._installation = cluster, answers, installation

    async def decide(self, service: WhisperService, observed: Observed, troubles: Troubles) -> Resolved:
        """The decisions, less that on the rollout where something that it needs could not be read, which `troubles`
        takes."""
        with SPANS.span("resolve"):
            resolved = resolve(service, observed, self._installation())
            template = wanted_template(resolved)
            try:
                resolved = await self._with_earlier_answer(resolved, template)
                needs_requests = rollout.needs_requests(resolved, template)
                requested = await requests_by_node(self._cluster, resolved.devices) if needs_requests else None
            except ApiError as error:
                troubles.miss("the Deployment or the list of all pods, by which a rollout is decided,", error)
                return resolved
            return rollout.with_rollout(resolved, template, requested)

    async def _with_earlier_answer(self, resolved: Resolved, template: Manifest | None) -> Resolved:
        """`resolved`, with what a policy made of the live Deployment before this process began; raises ApiError.

        Else a restart would decide anew over a rollout that is none.
        """
        metadata, live, before = resolved.service.metadata, resolved.deployment, resolved.live_decision
        key = (metadata.namespace, metadata.name)
        if template is None or before is None or live is None or self._answers.are_complete(key):
            return resolved
        if not rollout.is_changed(resolved, template):
            return resolved
        manifest = deployment.build(replace(resolved, rollout=Rollout(template, before)))
        if manifest is None or not await is_earlier_answer(self._cluster, self._answers, key, manifest, live):
            return resolved
        return replace(resolved, observed=replace(resolved.observed, accepted=self._answers.of(key, resolved.observed)))
