"""The newest Warning about each object of ours, of the Events that Kubernetes writes without end."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import CLAIM, JOB, POD
from whisper_operator.observe import pod_status
from whisper_operator.observe.facts import KubernetesWarning

WARNINGS_KEPT: Final = 1000
"""Newest warnings that are kept of a namespace."""


class WarningLog:
    def __init__(self) -> None:
        self._warnings: defaultdict[str, OrderedDict[tuple[str, str], KubernetesWarning]] = defaultdict(OrderedDict)
        """By namespace, then by kind and name."""

    def add(self, event: Manifest) -> bool:
        """Whether the Event says something that is kept: what no object's status does, and what is not known yet."""
        about = event["involvedObject"]
        if event.get("type") != "Warning" or not _is_kept(about.get("kind"), event.get("reason")):
            return False
        kept, key = self._warnings[about.get("namespace", "")], (about["kind"], about.get("name", ""))
        version = int(event["metadata"]["resourceVersion"])
        warned = KubernetesWarning(about.get("uid", ""), event.get("reason", ""), event.get("message", ""), version)
        if about["kind"] == POD.kind and not _says_more(warned, kept.get(key)):
            return False
        kept[key] = warned
        kept.move_to_end(key)
        if len(kept) > WARNINGS_KEPT:
            kept.popitem(last=False)
        return True

    def of(self, namespace: str) -> Mapping[tuple[str, str], KubernetesWarning]:
        """By kind and name."""
        return self._warnings.get(namespace, {})


def _is_kept(kind: str | None, reason: str | None) -> bool:
    """Whether a Warning may say what no object's status does; a Job's status says nothing of pods it may not create."""
    return kind in (POD.kind, CLAIM.kind) or (kind == JOB.kind and reason == pod_status.FAILED_CREATE)


def _says_more(warned: KubernetesWarning, known: KubernetesWarning | None) -> bool:
    """Whether a Warning about a pod says what its status does not, and what is not known already."""
    if warned.reason not in pod_status.TELLING:
        return False
    if known is None or known.uid != warned.uid:
        return True
    return warned.version > known.version and not warned.message.startswith(pod_status.TIMED_OUT)
