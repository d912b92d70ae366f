"""One value with everything that a pass decides: each fact is resolved here once, and read everywhere else. Pure.

A pass makes it in these steps, of which the third alone needs the API server, and only for a GPU whose pods change:

1. `resolve(service, observed, installation)`: everything that follows from the spec and the live objects.
2. `build.server_pod.wanted_template(resolved)`: the template that pods are to have.
3. `rollout.needs_requests(resolved, template)`: whether the decision needs the requests of the cluster's pods.
4. `rollout.with_rollout(resolved, template, requested)`: Surge or Replace, put beside the rest.
5. `build.desired(resolved)`: every child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from whisper_operator.api.spec.replicas import DisruptionSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT, Kind
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import ChildName, Observed
from whisper_operator.observe.replicas import ReplicaCounts, count_replicas
from whisper_operator.resolve.asked_claim import jobs_claim, models_claim
from whisper_operator.resolve.budget import resolve_budget
from whisper_operator.resolve.claim import ClaimState, resolve_claim
from whisper_operator.resolve.decision import Decision, Rollout, live_decision
from whisper_operator.resolve.devices import DeviceSupply, resolve_devices, with_devices
from whisper_operator.resolve.front import FrontState, resolve_front
from whisper_operator.resolve.image import ImageChoice, resolve_image
from whisper_operator.resolve.model_state import ModelState, resolve_model
from whisper_operator.resolve.prefetch import PrefetchState, resolve_prefetch
from whisper_operator.resolve.preflight.checklist import PreflightResult, run_checks
from whisper_operator.resolve.preflight.finding import CheckInput
from whisper_operator.resolve.promise import Promise, resolve_promise
from whisper_operator.resolve.scaling import ScaleStep
from whisper_operator.resolve.verification import VerificationState, resolve_verification


@dataclass(frozen=True)
class Resolved:
    service: WhisperService
    observed: Observed
    installation: Installation
    deployment: Manifest | None
    """The live one."""
    pod_selector: Mapping[str, str]
    """The labels by which the Deployment, and whatever is in its template, selects the pods that serve."""
    replicas: ReplicaCounts
    promise: Promise
    budget: DisruptionSpec | None
    """The wanted one; None: none."""
    server_pods: Sequence[Manifest]
    """Newest first."""
    claim: ClaimState
    """Of the checkpoints."""
    jobs_claim: ClaimState | None
    """Of jobs; None: the spec has none."""
    prefetch: PrefetchState
    model: ModelState
    image: ImageChoice
    preflight: PreflightResult
    devices: DeviceSupply | None
    """The devices of dynamic resource allocation that may be the pods' GPUs; None where none may."""
    verification: VerificationState
    front: FrontState | None
    """None: there is none."""
    live_decision: Decision | None
    """The decision on Surge or Replace that the live Deployment carries."""
    rollout: Rollout | None = None
    """None before it is decided, and where there may be no pods."""
    scaled: ScaleStep | None = None
    """The step between no pod and one that this pass has carried out; None: none."""
    waiting: Sequence[str] = ()
    """The changes of children that a pause holds back, as `apply Kind/name` and `delete Kind/name`."""
    mutated: Mapping[ChildName, Sequence[str]] = field(default_factory=dict[ChildName, Sequence[str]])
    """Of each child that others keep from being as it was applied: the paths of those fields, as `Deviation.named` has
    them."""

    @property
    def clients_reach(self) -> str:
        """The component of the pods that clients are sent to."""
        return self.front.clients_reach if self.front else names.SERVER

    @property
    def wanted_pods(self) -> int:
        """Pods that the Deployment wants by now, with the step that this pass has carried out."""
        return self.scaled.replicas if self.scaled else self.replicas.wanted

    def live(self, kind: Kind) -> Manifest | None:
        """The live child of that kind that has the service's own name."""
        return self.observed.get(kind, self.service.metadata.name)

    @property
    def claims(self) -> tuple[ClaimState, ...]:
        """Those that the spec speaks of, whether pods mount them or not."""
        return (self.claim, *((self.jobs_claim,) if self.jobs_claim else ()))

    @property
    def is_of_first_release(self) -> bool:
        """Whether 0.1.0 made the live Deployment, whose pods an upgrade leaves as they are."""
        return self.pod_selector == names.first_selector(self.service.metadata.name)

    @property
    def keeps_suspended_pods(self) -> bool:
        """Whether a pause holds back the suspension, so that pods go on serving."""
        return self.service.spec.suspend and self.service.spec.paused and self.replicas.wanted > 0

    @property
    def serves_during_change(self) -> bool:
        """Whether the model is being changed, or was to be, while as many pods as are promised take requests."""
        return self.model.change is not None and self.promise.is_kept and self.replicas.available > 0


def resolve(service: WhisperService, observed: Observed, installation: Installation) -> Resolved:
    """Everything that follows from the spec and the live objects; the rollout is decided later."""
    devices = resolve_devices(service.spec, observed.facts)
    observed = replace(observed, facts=with_devices(observed.facts, devices)) if devices else observed
    deployment = observed.get(DEPLOYMENT, service.metadata.name)
    replicas, server_pods = count_replicas(deployment), observed.pods(names.SERVER)
    promise, claim = resolve_promise(service, replicas), resolve_claim(models_claim(service, observed.facts), observed)
    of_jobs = resolve_claim(asked, observed) if (asked := jobs_claim(service)) else None
    prefetch = resolve_prefetch(service, observed, claim)
    model = resolve_model(service, observed, deployment, promise, server_pods, prefetch)
    verification = resolve_verification(service, observed, deployment, promise)
    front = resolve_front(service, observed, replicas)
    given = CheckInput(
        service,
        observed.facts,
        claim,
        of_jobs,
        model.needs_source,
        replicas,
        devices,
        verification.is_to_come,
        front.missing if front else 0,
    )
    return Resolved(
        service=service,
        observed=observed,
        installation=installation,
        deployment=deployment,
        pod_selector=_pod_selector(service, deployment),
        replicas=replicas,
        promise=promise,
        budget=resolve_budget(service, observed),
        server_pods=server_pods,
        claim=claim,
        jobs_claim=of_jobs,
        prefetch=prefetch,
        model=model,
        image=resolve_image(service, deployment, installation),
        preflight=run_checks(given),
        devices=devices,
        verification=verification,
        front=front,
        live_decision=live_decision(service, deployment),
    )


def _pod_selector(service: WhisperService, deployment: Manifest | None) -> Mapping[str, str]:
    """A Deployment's selector cannot change, and another one in the template would make new pods of an old one."""
    first = names.first_selector(service.metadata.name)
    is_first = deployment is not None and deployment["spec"].get("selector", {}).get("matchLabels") == first
    return first if is_first else names.selector(service.metadata.name)
