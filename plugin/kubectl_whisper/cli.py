"""The commands. kubectl finds them by the name of the script: `kubectl-whisper`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from kubectl_whisper.bench import bench_row, measure, summary
from kubectl_whisper.completion import reason_names, service_names
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.options import (
    Context,
    Everywhere,
    KeyFileOption,
    LanguageOption,
    Namespace,
    OutputOption,
    ServiceOption,
)
from kubectl_whisper.output import Output, print_rows
from kubectl_whisper.progress import TerminalProgress
from kubectl_whisper.status import row
from kubectl_whisper.top import PodRow, pod_row
from kubectl_whisper.transcribe import SentFile, transcribe
from kubectl_whisper.upkeep.commands import upkeep
from whisper_runtime.contract.network import LOAD_PATH
from whisper_runtime.contract.version import VERSION

app: Final = typer.Typer(
    name="kubectl-whisper",
    help="Look at WhisperServices, and use them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(upkeep)
ASKED_AT_ONCE: Final = 8
"""Pods, through one API server."""


class Format(StrEnum):
    text = "text"
    json = "json"
    srt = "srt"
    vtt = "vtt"


def _print_version(wanted: bool) -> None:
    if wanted:
        print(VERSION)
        raise typer.Exit


@app.callback()
def take_options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The options of the program itself."""


@app.command("status")
def print_status(
    name: Annotated[
        str | None, typer.Argument(help="Of one service; default: all of the namespace.", autocompletion=service_names)
    ] = None,
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    output: OutputOption = Output.table,
    context: Context = None,
) -> None:
    """Whether each service is well: its model, pods, waiting audio and speed, and why it is not."""
    api = KubeApi(context, namespace)
    found = [api.whisper_service(name)] if name else list(api.whisper_services(everywhere=everywhere))
    if not found and output is Output.table:
        print(f"no WhisperService in {'any namespace' if everywhere else api.namespace}", file=sys.stderr)
        return
    print_rows([row(one) for one in found], output, everywhere=everywhere)


@app.command("top")
def print_load(
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    output: OutputOption = Output.table,
    context: Context = None,
) -> None:
    """How busy each pod is: audio that waits, rows of the batch that are free, speed.

    It takes the right to get pods/proxy.
    """
    api = KubeApi(context, namespace)
    pods = list(api.server_pods(everywhere=everywhere))
    if not pods and output is Output.table:
        print(f"no pod serves in {'any namespace' if everywhere else api.namespace}", file=sys.stderr)
        return
    with ThreadPoolExecutor(ASKED_AT_ONCE) as asking:
        print_rows(list(asking.map(partial(_pod_row, api), pods)), output, everywhere=everywhere)


@app.command("transcribe")
def print_transcript(
    file: Annotated[Path, typer.Argument(help="A recording, in any format that the service takes.")],
    service: ServiceOption = None,
    output: Annotated[Format, typer.Option("--output", "-o")] = Format.text,
    language: LanguageOption = None,
    translate: Annotated[bool, typer.Option("--translate", help="Into English.")] = False,
    words: Annotated[bool, typer.Option("--words", help="With -o json: the times of words, too.")] = False,
    api_key_file: KeyFileOption = None,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """The words of a recording, through the API server: no Ingress and no forwarded port is needed.

    It takes the right to create services/proxy in the namespace. A pod that ends meanwhile costs time alone.
    """
    api = KubeApi(context, namespace)
    fields: dict[str, str | list[str]] = {"language": language} if language else {}
    if translate:
        fields["task"] = "translate"
    if words:
        fields["timestamp_granularities[]"] = ["segment", "word"]
    if output in (Format.srt, Format.vtt):
        fields["formats[]"] = [output.value]
    recording = SentFile(file, fields, _key(api_key_file))
    with TerminalProgress(prints_text=output is Format.text) as progress:
        found = transcribe(api, service or api.only_service(), recording, progress)
    if output is Format.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    elif output is not Format.text:
        print(found[output.value], end="")


@app.command("bench")
def print_bench(
    file: Annotated[Path, typer.Argument(help="A recording that is sent again and again.")],
    service: ServiceOption = None,
    clients: Annotated[int, typer.Option(min=1, max=64, help="Requests that are under way at once.")] = 1,
    requests: Annotated[int, typer.Option(min=1, max=10_000)] = 10,
    language: LanguageOption = None,
    output: OutputOption = Output.table,
    api_key_file: KeyFileOption = None,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """How fast a service is, as its clients see it; the audio goes the way that it goes for `transcribe`."""
    api = KubeApi(context, namespace)
    recording = SentFile(file, {"language": language} if language else {}, _key(api_key_file))
    found = bench_row(measure(api, service or api.only_service(), recording, clients=clients, requests=requests))
    if output is Output.table:
        print(summary(found))
    else:
        print_rows([found], output)


@app.command("explain")
def print_explanation(
    reason: Annotated[
        str, typer.Argument(help="A condition or reason, as `status` shows it.", autocompletion=reason_names)
    ],
    output: OutputOption = Output.table,
) -> None:
    """What a condition or reason means, and what to do."""
    from kubectl_whisper.explain import explanation, sentences  # imports the whole API, which few commands need

    try:
        found = explanation(reason)
    except LookupError as error:
        raise Failure(error.args[0]) from None
    if output is Output.table:
        print(sentences(found))
    else:
        print_rows([found], output)


def _pod_row(api: KubeApi, pod: Mapping[str, Any]) -> PodRow:
    """A pod that does not answer has a row that says why."""
    try:
        return pod_row(pod, api.report_of(pod, LOAD_PATH))
    except Failure as failure:
        return pod_row(pod, str(failure))


def _key(file: Path | None) -> str | None:
    """Raises Failure where the file cannot be read. A key is no argument, for those are seen by everybody."""
    try:
        return file.read_text().strip() if file else None
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"--api-key-file {file}: {error}") from None


def main() -> None:
    try:
        app()
    except Failure as failure:
        sys.exit(f"Error: {failure}")
