"""OpenAI's official clients, for Python and for Node, behind one function: a call in, what came of it out."""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any, Final, cast

import openai

from testbed import nodejs

NODE: Final = Path(__file__).parent / "node"


@dataclass(frozen=True)
class OpenAiCall:
    """`transcribe`, `translate`, `models` or `model`, with parameters as the client's own method takes them."""

    operation: str
    params: dict[str, Any]
    file: str | None = None
    key: str = "none"


@dataclass(frozen=True)
class OpenAiOutcome:
    value: Any = None
    """What the client returned, as JSON."""
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What a stream gave, before its error if it had one."""
    error: dict[str, Any] | None = None
    """Status, code, param, type and message of the exception that the client raised."""


OpenAiClient = Callable[[str, OpenAiCall], OpenAiOutcome]


def python(url: str, call: OpenAiCall) -> OpenAiOutcome:
    events: list[dict[str, Any]] = []
    try:
        with openai.OpenAI(base_url=f"{url}/v1", api_key=call.key) as client:
            value = _made(client, call)
            if not call.params.get("stream"):
                return OpenAiOutcome(value if isinstance(value, str) else value.to_dict())
            for event in value:
                events.append(event.to_dict())
        return OpenAiOutcome(events=events)
    except openai.APIError as error:
        status = error.status_code if isinstance(error, openai.APIStatusError) else None
        message = error.body["message"] if isinstance(error.body, dict) else None
        found = {"status": status, "code": error.code, "param": error.param, "type": error.type, "message": message}
        return OpenAiOutcome(events=events, error=found)


def _made(client: openai.OpenAI, call: OpenAiCall) -> Any:
    match call.operation:
        case "models":
            return client.models.list()
        case "model":
            return client.models.retrieve(call.params["id"])
        case operation:
            assert call.file is not None
            audio = client.audio
            create = (audio.transcriptions if operation == "transcribe" else audio.translations).create
            with open(call.file, "rb") as file, warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # openai's word for the model whisper-1
                return create(file=file, **call.params)


@contextmanager
def javascript() -> Iterator[OpenAiClient]:
    """A process of Node that makes calls as long as it is wanted."""
    environment = {**os.environ, "NODE_PATH": str(nodejs.ensure(NODE))}
    command = ("node", str(NODE / "call.cjs"))
    with subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as process:
        stdin, stdout, stderr = cast(IO[str], process.stdin), cast(IO[str], process.stdout), process.stderr

        def call(url: str, call: OpenAiCall) -> OpenAiOutcome:
            print(json.dumps({"url": url, **asdict(call)}), file=stdin, flush=True)
            line = stdout.readline()
            assert line, stderr and stderr.read()
            return OpenAiOutcome(**json.loads(line))

        yield call
        stdin.close()
