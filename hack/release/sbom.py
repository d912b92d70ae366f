"""What an image is made of, as a CycloneDX 1.6 document: https://cyclonedx.org/docs/1.6/json/."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from hack.release.image_contents import DebianPackage, ImageContents, PythonDistribution

ENVIRONMENT: Final = "opt/venv/"
"""What the Dockerfiles install from a lock; a base image may have distributions of its own elsewhere."""

Hashes = Mapping[tuple[str, str], tuple[str, ...]]


class NotOfTheLock(ValueError):
    """The image holds a distribution that its lock does not name; the message names both."""


def document(name: str, version: str, contents: ImageContents, hashes: Hashes, made: int) -> dict[str, Any]:
    """The SBOM of image `name`, made at the time `made` (seconds since 1970); the same input gives the same bytes.

    `hashes`: of the lock that the image was built from. Raises NotOfTheLock.
    """
    digest = contents.digest.partition(":")[2]
    image = f"pkg:oci/{name}@{quote(contents.digest, safe='')}?tag={version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, image).urn,
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(made, UTC).isoformat(),
            "component": {
                "type": "container",
                "bom-ref": image,
                "name": name,
                "version": version,
                "purl": image,
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [
            *(_debian(one, contents.release) for one in contents.debian),
            *(_python(one, hashes) for one in contents.python),
        ],
    }


def _debian(package: DebianPackage, release: str) -> dict[str, Any]:
    purl = (
        f"pkg:deb/debian/{quote(package.name)}@{quote(package.version, safe='')}"
        f"?arch={package.architecture}&distro=debian-{release}"
    )
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "properties": [{"name": "debian:source", "value": package.source}],
    }


def _python(one: PythonDistribution, hashes: Hashes) -> dict[str, Any]:
    """The lock has the hashes of files that are unpacked into the image, so they are those of its distribution."""
    purl = f"pkg:pypi/{one.name}@{quote(one.version, safe='')}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"{purl}#{one.folder}",
        "name": one.name,
        "version": one.version,
        "purl": purl,
        "evidence": {"occurrences": [{"location": f"/{one.folder}"}]},
    }
    if found := hashes.get((one.name, one.version)):
        component["externalReferences"] = [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{one.name}/{one.version}/",
                "hashes": [{"alg": "SHA-256", "content": each} for each in found],
            }
        ]
    elif one.folder.startswith(ENVIRONMENT):
        raise NotOfTheLock(f"/{one.folder} holds {one.name} {one.version}, which its lock does not name: `make images`")
    return component
