"""The runtime's image: the newest that the spec allows, and the one that pods and Jobs are to run now. Pure.

Where the spec leaves the version open, `status.image` keeps what this operator chose: it is written through the status
subresource, which who may edit a Deployment may not write. docs/adr/0011-a-record-of-what-was-admitted.md has the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.manifest import images_of
from whisper_operator.observe.installation import Installation

CONTAINERS: Final = ("containers", "initContainers")


@dataclass(frozen=True)
class ImageChoice:
    newest: str
    """The spec's image, with the operator's own defaults for parts that the spec leaves open."""
    to_run: str
    """The same, with those parts as they were admitted before: an upgraded operator restarts no pod."""
    is_pinned: bool
    """Whether the spec sets the version."""


def resolve_image(service: WhisperService, deployment: Manifest | None, installation: Installation) -> ImageChoice:
    """`deployment`: the live one; None where there is none."""
    wanted, newest = service.spec.image, newest_image(service, installation)
    is_pinned = bool(wanted.tag or wanted.digest)
    admitted = service.status.image or _made_before(deployment)
    if admitted is None or wanted.repository not in (None, parts(admitted)[0]):
        return ImageChoice(newest, newest, is_pinned)
    is_another_version = is_pinned and parts(newest)[1:] != parts(admitted)[1:]
    return ImageChoice(newest, newest if is_another_version else admitted, is_pinned)


def newest_image(service: WhisperService, installation: Installation) -> str:
    wanted, default = service.spec.image, installation.runtime_image
    if wanted.repository is None and wanted.tag is None and wanted.digest is None:
        return default
    default_repository, default_tag, default_digest = parts(default)
    repository, tag = wanted.repository or default_repository, wanted.tag or default_tag
    digest = wanted.digest or (None if tag else default_digest)
    return f"{repository}@{digest}" if digest else f"{repository}:{tag}" if tag else repository


def parts(image: str) -> tuple[str, str | None, str | None]:
    """Repository, tag and digest of `image`; a colon before the last slash is a registry's port.

    Source: https://github.com/distribution/reference/blob/main/reference.go
    """
    name, _, digest = image.partition("@")
    before, colon, tag = name.rpartition(":")
    is_tagged = bool(colon) and "/" not in tag
    return (before if is_tagged else name), (tag if is_tagged else None), digest or None


def foreign_images(deployment: Manifest | None, wanted: Manifest, service: WhisperService) -> dict[str, str]:
    """The images that somebody else chose for the live `deployment` (None: there is none), by container.

    `wanted`: the template that pods are to have. An image that differs from it is somebody else's where another field
    manager holds it, or where what is wanted is what was admitted before.
    """
    if deployment is None:
        return {}
    asked = images_of(wanted)
    return {
        container: image
        for container, image in images_of(deployment["spec"]["template"]).items()
        if image != asked.get(container, image)
        and (not _is_ours_alone(deployment, container) or asked[container] == service.status.image)
    }


def _made_before(deployment: Manifest | None) -> str | None:
    """The live image, as a release that kept no record applied it; None where anybody else had a hand in it."""
    if deployment is None or not _is_ours_alone(deployment, names.SERVER):
        return None
    return images_of(deployment["spec"]["template"]).get(names.SERVER)


def _is_ours_alone(deployment: Manifest, container: str) -> bool:
    """Whether the operator's own apply, and nobody else, holds the container's image.

    An admission policy that rewrites it leaves the field to whoever applied it.
    """
    holders = [
        (entry["manager"], entry.get("operation"))
        for entry in deployment["metadata"].get("managedFields", ())
        if _holds_image(entry, container)
    ]
    return holders == [(names.FIELD_MANAGER, "Apply")]


def _holds_image(entry: Manifest, container: str) -> bool:
    template: Manifest = entry.get("fieldsV1", {}).get("f:spec", {}).get("f:template", {}).get("f:spec", {})
    key = f'k:{{"name":"{container}"}}'
    return any("f:image" in template.get(f"f:{field}", {}).get(key, {}) for field in CONTAINERS)
