"""The runtime's image: the newest that the spec allows, and the one that pods are to run now. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.installation import Installation


@dataclass(frozen=True)
class ImageChoice:
    newest: str
    """The spec's image, with the operator's own defaults for parts that the spec leaves open."""
    to_run: str
    """The same, with those parts as they are live: an upgraded operator restarts no pod."""
    running: str | None
    """The live Deployment's image; None where there is none."""
    is_pinned: bool
    """Whether the spec sets the version."""


def resolve_image(service: WhisperService, deployment: Manifest | None, installation: Installation) -> ImageChoice:
    wanted, newest = service.spec.image, newest_image(service, installation)
    running = deployment["spec"]["template"]["spec"]["containers"][0]["image"] if deployment else None
    is_pinned = bool(wanted.tag or wanted.digest)
    is_same = wanted.repository is None or (running or "").startswith(f"{wanted.repository}:")
    return ImageChoice(newest, running if running and is_same and not is_pinned else newest, running, is_pinned)


def newest_image(service: WhisperService, installation: Installation) -> str:
    wanted, default = service.spec.image, installation.runtime_image
    if wanted.repository is None and wanted.tag is None and wanted.digest is None:
        return default
    default_repository, _, default_tag = default.partition("@")[0].rpartition(":")
    repository = wanted.repository or default_repository
    return f"{repository}@{wanted.digest}" if wanted.digest else f"{repository}:{wanted.tag or default_tag}"
