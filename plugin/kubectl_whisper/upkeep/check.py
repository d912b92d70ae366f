"""Checks a manifest before it is applied: by the API server, which stores nothing, and by the operator's preflight."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml
from pydantic import ValidationError

from kubectl_whisper.kube_api import Failure, KubeApi
from whisper_operator.api.explain import explain
from whisper_operator.api.status import PreflightCheck
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import API_VERSION, KIND, PLURAL, WhisperService

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of a file of manifests; the API server takes 3 MiB for one object."""
NO_RIGHT: Final = re.compile(r" cannot (patch|create) resource ")
"""In the API server's word that the user may not apply such an object; a policy has words of its own."""
OUTCOMES: Final = {True: "ok", False: "wrong", None: "unknown"}


@dataclass(frozen=True)
class CheckRow:
    service: str
    check: str
    outcome: str
    """ok, wrong, or unknown: it could not be made with the rights of the user."""
    message: str


def check(api: KubeApi, file: Path, context: str | None) -> list[CheckRow]:
    """The checks of each WhisperService in `file` (`-`: standard input); raises Failure where it has none."""
    found: list[CheckRow] = []
    for body in manifests(file, api.namespace):
        name = str(body["metadata"].get("name"))
        spec, service = _of_itself(body)
        found.append(CheckRow(name, "spec", "wrong" if spec else "ok", spec))
        if service is not None:
            found.append(_admitted(api, body))
            found += _preflight(service, context)
    return found


def manifests(file: Path, namespace: str) -> Sequence[dict[str, Any]]:
    """The WhisperServices in a file of YAML documents, each with a namespace: `namespace` where it names none."""
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            text = stream.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise Failure(f"{file} has more than {MOST_BYTES} bytes: split it")
        bodies = list(yaml.safe_load_all(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Failure(f"{file}: {error}") from None
    found = list(_services(bodies, namespace))
    if not found:
        raise Failure(f"{file}: no {KIND} in it")
    return found


def _services(bodies: Iterable[Any], namespace: str) -> Iterator[dict[str, Any]]:
    for given in bodies:
        body = cast(dict[str, Any], given) if isinstance(given, dict) else {}
        if body.get("kind") == KIND:
            metadata: Any = body.get("metadata")
            named = cast(dict[str, Any], metadata) if isinstance(metadata, dict) else {}
            yield {**body, "metadata": {"namespace": namespace, **named}}


def _of_itself(body: dict[str, Any]) -> tuple[str, WhisperService | None]:
    """What is wrong with the manifest by itself; empty, and the service, where nothing is."""
    try:
        service = WhisperService.parse(body)
    except ValidationError as error:
        return explain(error), None
    if paths := unsupported(service.spec):
        return f"not implemented in this version: {', '.join(paths)}", None
    return "", service


def _admitted(api: KubeApi, body: Mapping[str, Any]) -> CheckRow:
    """Whether the API server would take it, with its own defaults, quotas and policies, as an apply by the user."""
    name = body["metadata"]["name"]
    try:
        api.apply_dry(body, API_VERSION, PLURAL)
    except Failure as failure:
        is_unknown = NO_RIGHT.search(str(failure)) is not None
        return CheckRow(name, "admission", OUTCOMES[None if is_unknown else False], str(failure))
    return CheckRow(name, "admission", OUTCOMES[True], "")


def _preflight(service: WhisperService, context: str | None) -> Iterator[CheckRow]:
    name = service.metadata.name
    try:
        checks = asyncio.run(_checks(service, context))
    except Failure as failure:
        yield CheckRow(name, "preflight", OUTCOMES[None], str(failure))
        return
    for one in checks:
        yield CheckRow(name, one.name, OUTCOMES[one.passed], one.message)


async def _checks(service: WhisperService, context: str | None) -> Sequence[PreflightCheck]:
    """What the operator would find before it starts pods, read with the rights of the user; raises Failure."""
    # Here, for they take a second to import.
    from whisper_operator.cli.check import check as preflight
    from whisper_operator.kube.client import Cluster
    from whisper_operator.kube.credentials import credentials
    from whisper_operator.kube.errors import ApiError
    from whisper_operator.observe.installation import Installation

    cluster = Cluster(credentials(context))
    try:
        return (await preflight([service], cluster, Installation("")))[service.metadata.name]
    except ApiError as error:
        raise Failure(f"the cluster could not be read: {error}") from None
    finally:
        await cluster.close()
