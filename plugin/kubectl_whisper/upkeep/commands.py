"""The commands for whoever looks after services."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from kubectl_whisper.completion import service_names
from kubectl_whisper.kube_api import KubeApi
from kubectl_whisper.options import Context, Everywhere, Namespace, OutputOption, ServiceArgument
from kubectl_whisper.output import Output, print_rows
from kubectl_whisper.upkeep.logs import LogRequest, read_logs
from kubectl_whisper.upkeep.verify import verify

if TYPE_CHECKING:
    from kubectl_whisper.upkeep.prune import Unused

upkeep: Final = typer.Typer()
LONGEST_TAIL: Final = 100_000


class PodComponent(StrEnum):
    server = "server"
    front = "front"
    prefetch = "prefetch"
    verify = "verify"


@upkeep.command("logs")
def print_logs(
    service: ServiceArgument = None,
    component: Annotated[PodComponent | None, typer.Option(help="Default: each.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until Ctrl-C; new pods included.")] = False,
    tail: Annotated[int, typer.Option(min=0, max=LONGEST_TAIL, help="Last lines of each container.")] = 100,
    previous: Annotated[bool, typer.Option("--previous", "-p", help="Of each container's last run.")] = False,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """What the pods of a service log, each line with its pod's name before it.

    It takes the right to list pods and to get pods/log. Transcripts are in no log.
    """
    if follow and previous:
        raise typer.BadParameter("a run that has ended cannot be followed: give one of --follow and --previous")
    api = KubeApi(context, namespace)
    name = service or api.only_service()
    wanted = LogRequest(name, component.value if component else "", tail, follow, previous)
    with contextlib.suppress(KeyboardInterrupt):
        for line in read_logs(api, wanted):
            text = f"{line.source.pod} {line.source.container} | {line.text}"
            print(text, flush=follow, file=sys.stderr if line.is_notice else sys.stdout)


@upkeep.command("verify")
def print_verification(
    service: ServiceArgument = None,
    timeout: Annotated[int, typer.Option(min=1, max=7200, help="Seconds to wait.")] = 900,
    output: OutputOption = Output.table,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Verify a service now, by real requests, and wait for the outcome; exit code 1: a check failed.

    The Job of its last verification is deleted, and the operator makes the next. It takes the right to list and delete
    jobs.
    """
    api = KubeApi(context, namespace)
    found = verify(api, service or api.only_service(), timeout, lambda text: print(text, file=sys.stderr))
    if found.checks or output is not Output.table:
        print_rows(found.checks, output)
    speed = f", {found.speed:.1f} s of audio in a second" if found.speed is not None else ""
    print(f"{'passed' if found.passed else 'failed'}: {found.message}{speed}", file=sys.stderr)
    if not found.passed:
        raise typer.Exit(1)


@upkeep.command("check")
def print_checks(
    file: Annotated[Path, typer.Option("--file", "-f", help="Manifests; -: standard input.")],
    output: OutputOption = Output.table,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Check a manifest before it is applied; nothing is stored. Exit code 1: something is wrong with it.

    The API server is asked as by an apply, then the operator's own preflight is made, with your rights: what they
    do not suffice for is unknown.
    """
    from kubectl_whisper.upkeep.check import check  # imports the whole API

    rows = check(KubeApi(context, namespace), file, context)
    print_rows(rows, output)
    if any(row.outcome == "wrong" for row in rows):
        raise typer.Exit(1)


@upkeep.command("models")
def print_models(
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    output: OutputOption = Output.table,
    context: Context = None,
) -> None:
    """What the caches of checkpoints hold, and which services use each file.

    A claim is read through a pod that serves from it. It takes the right to list pods and to get pods/proxy.
    """
    from kubectl_whisper.upkeep.models import model_rows

    api = KubeApi(context, namespace)
    rows = model_rows(api, everywhere=everywhere)
    if not rows and output is Output.table:
        print(f"no WhisperService in {'any namespace' if everywhere else api.namespace}", file=sys.stderr)
        return
    print_rows(rows, output, everywhere=everywhere)


@upkeep.command("prune")
def print_pruned(
    named: Annotated[list[str] | None, typer.Argument(help="Files or claims; default: every unused file.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete, and ask nothing.")] = False,
    output: OutputOption = Output.table,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Delete the checkpoints in the namespace's claims that no service wants, serves or may go back to.

    Without --yes nothing is deleted, but for the answer yes on a terminal. A claim that was retained when its service
    went is deleted where it is named. It takes the rights of `models`, and to create, list and delete jobs.
    """
    from kubectl_whisper.upkeep.prune import as_claims_say, chosen, delete, unused

    api = KubeApi(context, namespace)
    found = unused(api, _notice)
    asked = chosen(found, named or ())
    shown = asked if named else found
    if not shown and output is Output.table:
        _notice(f"nothing in the claims of {api.namespace} is unused")
        return
    if not yes:
        print_rows(as_claims_say(one.row("unused") for one in shown), output)
    if not asked or not (yes or _is_agreed(asked, output)):
        _notice("nothing was deleted" + (": give --yes" if asked else ""))
        return
    rows = list(delete(api, asked, unused(api, _notice)))
    print_rows(rows, output)
    if any(row.outcome == "failed" for row in rows):
        raise typer.Exit(1)


def _is_agreed(asked: Sequence[Unused], output: Output) -> bool:
    """Asks on a terminal; elsewhere, and where a program reads, nobody has agreed."""
    if output is not Output.table or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    what = f"{len(asked)} of these, {sum(one.size for one in asked) / 1e6:.1f} MB"
    return typer.confirm(f"Delete {what}, for good?", default=False)


def _notice(text: str) -> None:
    print(text, file=sys.stderr)


@upkeep.command("support-bundle")
def write_bundle(
    services: Annotated[
        list[str] | None, typer.Argument(help="Default: all of the namespace.", autocompletion=service_names)
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Must not be there yet.")] = None,
    operator_namespace: Annotated[str, typer.Option(help="Where the operator runs.")] = "whisper-system",
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Write an archive for whoever is to help: status, events, manifests, logs and metrics, and nothing secret.

    What your rights do not suffice for is named in it, and left out.
    """
    from kubectl_whisper.upkeep.bundle import BundleScope, bundle_files, write  # imports the whole API

    api = KubeApi(context, namespace)
    to = file or Path(f"whisper-support-{api.namespace}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.tar.gz")
    paths = write(to, bundle_files(api, BundleScope(frozenset(services or ()), operator_namespace)))
    print(f"{to}: {len(paths)} files; left-out.txt names what could not be read", file=sys.stderr)
    print(to)
