"""The front: whether there is one, and whether clients reach it or the pods that serve. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from whisper_operator.api.spec.front import FrontSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT, SERVICE
from whisper_operator.objects.manifest import container_of
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.replicas import ReplicaCounts, count_replicas
from whisper_runtime.contract.config import env_name

Component = Literal["front", "server"]
"""The component of the pods that the Service for clients selects."""


@dataclass(frozen=True)
class FrontState:
    """A front that the spec wants, or one of before that has still to leave."""

    spec: FrontSpec
    is_wanted: bool
    is_suspended: bool
    deployment: Manifest | None
    """The live one."""
    counts: ReplicaCounts
    pods: Sequence[Manifest]
    """Newest first."""
    clients_reach: Component
    """What the Service for clients is to select."""
    is_selected: bool
    """Whether the live Service for clients selects the front."""

    @property
    def is_ready(self) -> bool:
        """Whether a pod of it takes requests that every node's proxy knows."""
        return self.counts.available > 0

    @property
    def is_there(self) -> bool:
        """Whether pods of it are wanted, or finish their requests."""
        return self.has_clients or bool(self.pods)

    @property
    def has_clients(self) -> bool:
        """Whether clients are sent to it, or will be."""
        return self.is_wanted or self.is_selected

    @property
    def missing(self) -> int:
        """Pods of it that do not exist yet."""
        return max(0, self.replicas - self.counts.existing)

    @property
    def replicas(self) -> int:
        """Pods that it is to have; none once it is not wanted and no client is sent to it.

        Its Deployment stays, for the operator has no right to delete one.
        """
        has_pods = not self.is_suspended and self.has_clients
        return self.spec.replicas if has_pods else 0


def resolve_front(service: WhisperService, observed: Observed, servers: ReplicaCounts) -> FrontState | None:
    """None where there is none, and never was. `servers`: the pods that serve."""
    name, wanted = service.metadata.name, service.spec.wanted_front
    deployment = observed.get(DEPLOYMENT, names.front(name))
    if wanted is None and deployment is None:
        return None
    counts, before = count_replicas(deployment), _selected(observed.get(SERVICE, name))
    reach = clients_reach(
        before,
        is_wanted=wanted is not None,
        front_ready=counts.available > 0 and (before == "front" or _is_known(service, observed, servers)),
        servers_ready=servers.available > 0,
    )
    return FrontState(
        spec=wanted or FrontSpec(),
        is_wanted=wanted is not None,
        is_suspended=service.spec.suspend,
        deployment=deployment,
        counts=counts,
        pods=observed.pods(names.FRONT),
        clients_reach=reach,
        is_selected=before == "front",
    )


def clients_reach(before: Component, *, is_wanted: bool, front_ready: bool, servers_ready: bool) -> Component:
    """What takes requests, so that none is refused while it changes: the old one goes on until the new one is ready.

    `before`: what the live Service selects. `front_ready`: and each server knows it.
    """
    if is_wanted and front_ready:
        return "front"
    return "server" if servers_ready else before


def _is_known(service: WhisperService, observed: Observed, servers: ReplicaCounts) -> bool:
    """Whether no server would take the front for the client: a job that it accepts belongs to nobody afterwards."""
    deployment = observed.get(DEPLOYMENT, service.metadata.name)
    if service.spec.auth or deployment is None or servers.existing == 0:
        return True
    server = container_of(deployment["spec"]["template"]["spec"], names.SERVER) or {}
    has_token = any(variable["name"] == env_name("front_token") for variable in server.get("env", ()))
    return has_token and servers.is_current and servers.is_of_one_template


def _selected(live: Manifest | None) -> Component:
    """What the live Service for clients selects; the pods that serve where there is none yet."""
    selector: dict[str, str] = live["spec"].get("selector") or {} if live else {}
    return "front" if selector.get(names.LABEL_COMPONENT) == names.FRONT else "server"
