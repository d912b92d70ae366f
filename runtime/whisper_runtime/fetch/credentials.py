"""Credentials of a source: a mounted Secret, one file for each key."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, cast

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError

DOCKER_CONFIG: Final = ".dockerconfigjson"
"""The key of a Secret that `kubectl create secret docker-registry` makes."""


def read(directory: str | None) -> dict[str, str]:
    """Returns value by key, without surrounding white space; empty where `directory` is None. Raises FetchError."""
    if directory is None:
        return {}
    try:
        files = [file for file in Path(directory).iterdir() if file.is_file()]
        return {file.name: file.read_text().strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        message = f"the credentials in {directory} cannot be read ({type(error).__name__})"
        raise FetchError(DOWNLOAD_FAILED, message) from None


def authorization(credentials: Mapping[str, str]) -> str | None:
    """Returns the header's value for a bearer `token`, or for `username` and `password`; None without credentials.

    Raises FetchError where the keys are others, or the token is nothing that a header can carry.
    """
    if not credentials:
        return None
    if token := credentials.get("token"):
        if not (token.isascii() and token.isprintable()):
            raise _unusable("`token` must be printable ASCII characters on one line")
        return f"Bearer {token}"
    if "username" in credentials and "password" in credentials:
        pair = f"{credentials['username']}:{credentials['password']}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    keys = ", ".join(sorted(credentials))
    raise _unusable(f"the Secret has the keys {keys}: this source needs `token`, or `username` and `password`")


def registry_authorization(credentials: Mapping[str, str], names: Sequence[str], repository: str) -> str | None:
    """The same for a registry, whose Secret may also be the one by which nodes pull images. Raises FetchError.

    `names`: the registry's, for Docker's own has several. Of the Secret's entries counts the one with the longest path,
    as for the kubelet; a host may have `*` in its labels.
    Source: https://kubernetes.io/docs/concepts/containers/images/#config-json
    """
    if DOCKER_CONFIG not in credentials:
        return authorization(credentials)
    registry, wanted = names[0], [f"{name}/{repository}" for name in names]
    entries = _entries(credentials[DOCKER_CONFIG])
    matching = [(place, entry) for place, entry in entries if any(_covers(place, one) for one in wanted)]
    if not matching:
        raise _unusable(f"{DOCKER_CONFIG} has no credentials for {registry}: add them, or name another Secret")
    _, entry = max(matching, key=lambda one: len(one[0]))
    if token := entry.get("registrytoken"):
        return authorization({"token": token})
    if pair := entry.get("auth"):
        return authorization(_pair(pair, registry))
    if {"username", "password"} <= entry.keys():
        return authorization({name: entry[name] for name in ("username", "password")})
    raise _unusable(f"{DOCKER_CONFIG} has for {registry} neither auth nor username and password: put them in")


def _entries(content: str) -> list[tuple[str, dict[str, str]]]:
    """Each place, without scheme and version, with what is said to it. Raises FetchError."""
    try:
        auths = cast(dict[str, dict[str, Any]], json.loads(content)["auths"])
        texts = [(place, {key: str(value) for key, value in entry.items() if value}) for place, entry in auths.items()]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise _unusable(f"{DOCKER_CONFIG} is not the JSON of docker's configuration") from None
    return [(_place(place), entry) for place, entry in texts]


def _place(key: str) -> str:
    """host/path of a key such as https://index.docker.io/v1/."""
    host, _, path = key.partition("://")[2].partition("/") if "://" in key else key.partition("/")
    path = path.strip("/")
    return f"{host}/{path}" if path and path not in ("v1", "v2") else host


def _covers(place: str, wanted: str) -> bool:
    host, _, path = place.partition("/")
    registry, _, repository = wanted.partition("/")
    labels, others = host.split("."), registry.split(".")
    if len(labels) != len(others) or not all(map(fnmatchcase, others, labels)):
        return False
    return not path or f"{repository}/".startswith(f"{path}/")


def _pair(encoded: str, registry: str) -> dict[str, str]:
    """username and password of `auth`. Raises FetchError, which does not repeat them."""
    try:
        username, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        colon = username = password = ""
    if not colon:
        raise _unusable(f"{DOCKER_CONFIG} has an auth for {registry} that is not user:password in base64")
    return {"username": username, "password": password}


def _unusable(problem: str) -> FetchError:
    return FetchError(DOWNLOAD_FAILED, f"spec.model.source.secretRef: {problem}")
