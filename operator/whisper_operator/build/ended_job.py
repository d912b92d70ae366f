"""A Job whose pod a sidecar keeps running after the operator's container has reported: ended, its report kept.

Kubernetes completes a Job when every container has ended, and a mesh's classic sidecar never does. Suspended, the Job
loses its pods, and with them what they hold: a volume of one node among others.
"""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_runtime.contract.reports import FetchReport, VerifyReport

KEPT_SECONDS: Final = 2**31 - 1
"""Time to live of a Job that has ended: for ever, for by its end the operator knows that the model is there. Policies
give a short one to Jobs that state none, and each that goes is made, and run, again."""


def ended(manifest: Manifest, live: Manifest | None, report: FetchReport | VerifyReport | None) -> Manifest:
    """The Job `manifest` where `report` is None; else the `live` one, suspended, with the report in its annotations.

    Its template stays the live one, which policies may have changed: a Job's template is immutable.
    """
    if live is None or report is None:
        return manifest
    metadata = manifest["metadata"]
    annotations = {**metadata["annotations"], names.ANNOTATION_REPORT: report.to_json()}
    return {
        **manifest,
        "metadata": {**metadata, "annotations": annotations},
        "spec": {**manifest["spec"], "suspend": True, "template": live["spec"]["template"]},
    }
