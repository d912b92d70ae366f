"""What no watch shows, and is read when a pass asks for it: the Secrets, ConfigMaps and claims that a spec names."""

from __future__ import annotations

from dataclasses import replace

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.observe.facts import Facts
from whisper_operator.resolve.preflight import checklist


async def with_lookups(facts: Facts, service: WhisperService, cluster: Cluster) -> Facts:
    """`facts`, with what has to be looked up for this service alone; raises ApiError."""
    namespace, wanted = service.metadata.namespace, checklist.lookups(service)
    return replace(
        facts,
        secrets={name: await cluster.secret_keys(namespace, name) for name in sorted(wanted.secrets)},
        config_maps={name: await cluster.config_map_keys(namespace, name) for name in sorted(wanted.config_maps)},
        claims={name: await cluster.get(CLAIM, namespace, name) for name in sorted(wanted.claims)},
    )
