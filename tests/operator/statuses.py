"""Statuses as tests read them, and the objects of a service that is as it should be."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import ENV, NOW, claim, deployment, fetched, observed, resolved
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.installation import Installation
from whisper_operator.status.assemble import observed_status


def status(of: WhisperService, *live: Manifest, installation: Installation = ENV, **facts: Any) -> Status:
    """The status where these objects exist and these facts hold."""
    return observed_status(resolved(of, observed(*live, **facts), installation), (), NOW)


def conditions(found: Status) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {one.type: (one.status, one.reason) for one in found.conditions}


def message(found: Status, kind: str = "Ready") -> str:
    return next(one.message for one in found.conditions if one.type == kind)


def all_of(of: WhisperService, **deployed: Any) -> list[Manifest]:
    """The claim, the Job that filled it, and the Deployment with that status; as it should be where it says nothing."""
    live = [claim(of), fetched(of, claim(of))]
    return [*live, deployment(of, *live, **deployed)]
