"""The Job that downloads the model into the claim and verifies it, before any pod asks for it.

A failed attempt is repeated by the kubelet with its own backoff (10 s to 5 min), so the Job itself never gives up.
"""

from __future__ import annotations

from typing import Final

from whisper_operator import names
from whisper_operator.admitted import wanted_job_name
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import pod
from whisper_operator.build.meta import child
from whisper_operator.env import Env
from whisper_operator.kinds import JOB
from whisper_operator.observed import Observed

NEVER_GIVE_UP: Final = 2**31 - 1


def build(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    name = wanted_job_name(service, observed)
    if name is None:
        return None
    return child(
        service,
        JOB,
        name,
        component=names.PREFETCH,
        spec={"backoffLimit": NEVER_GIVE_UP, "template": pod.prefetch_template(service, observed, env)},
    )
