"""Mounts, volumes and variables by which a fetching container reaches its checkpoint's source.

Credentials are files of a mounted Secret: as variables they would show in whatever prints a container's environment.
"""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.resolve.fetches import Fetch, fetches
from whisper_runtime.contract.files import SOURCE_CA_FILE, SOURCE_CLAIM_DIR, SOURCE_CREDENTIALS_DIR, SOURCE_URL_FILE

PROXIES: Final = frozenset({"http_proxy", "https_proxy", "no_proxy", "all_proxy"})
"""Variables of spec.server.env that a fetch uses too, in upper or lower case."""
CA_DIR, _, CA_NAME = SOURCE_CA_FILE.rpartition("/")
URL_DIR, _, URL_NAME = SOURCE_URL_FILE.rpartition("/")


def mounts(fetch: Fetch) -> list[Manifest]:
    return [{**mount, "readOnly": True} for mount, _ in _parts(fetch)]


def volumes(service: WhisperService) -> list[Manifest]:
    """Those of all that it fetches."""
    parts = [part for fetch in fetches(service.spec) for part in _parts(fetch)]
    return [{"name": mount["name"], **volume} for mount, volume in parts]


def proxies(service: WhisperService) -> list[Manifest]:
    variables = service.spec.server.env
    return [one.model_dump(by_alias=True, exclude_none=True) for one in variables if one.name.lower() in PROXIES]


def _parts(fetch: Fetch) -> list[tuple[Manifest, Manifest]]:
    """Each mount with its volume; each container finds its own at the same path."""
    source, trusted, name = fetch.source, fetch.authorities, "encoder-source" if fetch.is_encoder else "source"
    found: list[tuple[Manifest, Manifest]] = []
    if source and source.secret_ref:
        secret = {"secret": {"secretName": source.secret_ref.name, "defaultMode": 0o440}}
        found.append(({"name": name, "mountPath": SOURCE_CREDENTIALS_DIR}, secret))
    if source and (held := source.url_secret_key_ref):
        items = [{"key": held.key, "path": URL_NAME}]
        secret = {"secret": {"secretName": held.name, "defaultMode": 0o440, "items": items}}
        found.append(({"name": f"{name}-url", "mountPath": URL_DIR}, secret))
    if trusted:
        authority = {"name": trusted.name, "items": [{"key": trusted.key, "path": CA_NAME}]}
        found.append(({"name": f"{name}-ca", "mountPath": CA_DIR}, {"configMap": authority}))
    if source and source.claim:
        claim = {"persistentVolumeClaim": {"claimName": source.claim, "readOnly": True}}
        found.append(({"name": f"{name}-claim", "mountPath": SOURCE_CLAIM_DIR}, claim))
    return found
