"""The options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kubectl_whisper.completion import context_names, namespace_names, service_names
from kubectl_whisper.output import Output

Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Default: the context's.", autocompletion=namespace_names),
]
Context = Annotated[
    str | None, typer.Option(help="Of the kubeconfig; default: its current one.", autocompletion=context_names)
]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="For people, or for programs.")]
ServiceOption = Annotated[
    str | None, typer.Option(help="Default: the only one of the namespace.", autocompletion=service_names)
]
ServiceArgument = Annotated[
    str | None,
    typer.Argument(help="A service; default: the only one of the namespace.", autocompletion=service_names),
]
LanguageOption = Annotated[str | None, typer.Option(help="Such as en or German; default: the service finds it.")]
KeyFileOption = Annotated[Path | None, typer.Option(help="A file that holds a key of the service.")]
