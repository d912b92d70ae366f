"""python -m whisper_operator run | render -f FILE | check -f FILE | crd"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from whisper_operator.api.crd import custom_resource_definition
from whisper_operator.api.explain import explain
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import KIND, WhisperService
from whisper_operator.cli.installation_file import read_installation
from whisper_operator.cli.render import rendered
from whisper_operator.observe.installation import Installation
from whisper_operator.resolve.preflight.policy import violations
from whisper_runtime.contract.version import VERSION

DEFAULT_IMAGE = "ghcr.io/whisper-operator/whisper-runtime:latest"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="whisper_operator", description=__doc__)
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="reconcile WhisperServices")
    running.add_argument("--dry-run", action="store_true", help="write nothing; log what each pass would change")
    render = commands.add_parser("render", help="print the children of a WhisperService, without a cluster")
    render.add_argument("-f", dest="file", required=True, type=Path)
    render.add_argument("--runtime-image", default=DEFAULT_IMAGE)
    check = commands.add_parser("check", help="check a WhisperService by itself and against the cluster")
    check.add_argument("-f", dest="file", required=True, type=Path, help="file of manifests; -: standard input")
    check.add_argument("-n", "--namespace", help="of services that name none (default: the context's)")
    check.add_argument("--context", help="of the kubeconfig (default: the current one)")
    check.add_argument("--installation", type=Path, help="manifests of the operator, whose policy and defaults count")
    check.add_argument("-o", "--output", choices=("table", "json"), default="table")
    commands.add_parser("crd", help="print the CustomResourceDefinition")
    parsed = parser.parse_args(arguments)
    match parsed.command:
        case "run":
            from whisper_operator.process import operator

            operator.main(is_dry=parsed.dry_run)
        case "render":
            services = [parse(body) for body in whisper_services(parsed.file)]
            _print(
                manifest for service in services for manifest in rendered(service, Installation(parsed.runtime_image))
            )
        case "check":
            from whisper_operator.kube.credentials import namespace_of

            installation = read_installation(parsed.installation) if parsed.installation else None
            services = check_file(parsed.file, parsed.namespace or namespace_of(parsed.context), installation)
            if not asyncio.run(check_against_cluster(services, installation, parsed.context, parsed.output)):
                sys.exit(1)
        case _:
            _print([custom_resource_definition()])


def whisper_services(file: Path) -> list[dict[str, Any]]:
    """The WhisperServices in a file of YAML documents (`-`: standard input); raises SystemExit where there is none."""
    try:
        bodies = list(yaml.safe_load_all(sys.stdin.read() if str(file) == "-" else file.read_text()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SystemExit(f"{file}: {error}") from None
    objects = [cast(dict[str, Any], body) for body in bodies if isinstance(body, dict)]
    found = [body for body in objects if body.get("kind") == KIND]
    return found or sys.exit(f"{file}: no {KIND} in it")


def parse(body: dict[str, Any]) -> WhisperService:
    """The service in `body`; raises SystemExit, which names each field that the operator would refuse."""
    try:
        service = WhisperService.parse(body)
    except ValidationError as error:
        metadata = body.get("metadata")
        name = cast(dict[str, Any], metadata).get("name") if isinstance(metadata, dict) else None
        raise SystemExit(f"{KIND} {name}: {explain(error)}") from None
    if paths := unsupported(service.spec):
        raise SystemExit(f"{KIND} {service.metadata.name}: not implemented in this version: {', '.join(paths)}")
    return service


def check_file(
    file: Path, namespace: str = "default", installation: Installation | None = None
) -> list[WhisperService]:
    """The services in `file`, each valid by itself; raises SystemExit, which names the first invalid field.

    `namespace`: of those that name none; `installation`: whose policy they obey, and whose defaults complete them;
    None: no policy and no defaults are known.
    """
    if installation is None:
        print("not checked against a policy and with no defaults: --installation names none", file=sys.stderr)
    services: list[WhisperService] = []
    for body in whisper_services(file):
        if isinstance(metadata := body.get("metadata"), dict):
            body["metadata"] = {"namespace": namespace, **cast(dict[str, Any], metadata)}
        service = parse(body)
        if installation is not None:
            service = accepted(service, body, installation)
        print(f"{KIND} {service.metadata.name}: valid", file=sys.stderr)
        services.append(service)
    return services


def accepted(service: WhisperService, body: dict[str, Any], installation: Installation) -> WhisperService:
    """`service`, which is that in `body`, with the defaults; raises SystemExit where the policy does not allow it."""
    name, namespace, policy = service.metadata.name, service.metadata.namespace, installation.policy
    if policy and (found := violations(body["spec"], name, namespace, policy)):
        raise SystemExit(f"{KIND} {name}: {'. '.join(found)}")
    return service.model_copy(update={"spec": installation.defaults.fill(service.spec)})


async def check_against_cluster(
    services: list[WhisperService],
    installation: Installation | None = None,
    context: str | None = None,
    output: str = "table",
) -> bool:
    """Prints the checks of each service against the kubeconfig's cluster; returns whether none has failed.

    `context`: of the kubeconfig, None: its current one; `output`: table or json.
    """
    from kubernetes.config import ConfigException

    from whisper_operator.cli.check import as_json, as_table, check
    from whisper_operator.kube.client import Cluster
    from whisper_operator.kube.credentials import credentials
    from whisper_operator.kube.errors import ApiError

    try:
        cluster = Cluster(credentials(context))
    except ConfigException as error:
        if context:
            sys.exit(f"--context {context}: {error}")
        print("not checked against a cluster: no kubeconfig names one", file=sys.stderr)
        return True
    try:
        found = await check(services, cluster, installation or Installation(DEFAULT_IMAGE))
    except ApiError as error:
        sys.exit(f"the cluster could not be read: {error}")
    finally:
        await cluster.close()
    print(as_json(found) if output == "json" else as_table(found))
    return all(row.passed is not False for rows in found.values() for row in rows)


def _print(manifests: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> None:
    yaml.safe_dump_all(manifests, sys.stdout, sort_keys=False)


if __name__ == "__main__":
    main()
