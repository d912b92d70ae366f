"""`python -m testbed.clients [NAME...]`: writes docs/reference/clients.md where no client fails; exits with 1 else.

With names, such as `python/groq` or `node`, it tries the clients of these folders alone and writes nothing.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import wave
from pathlib import Path
from typing import Final

from testbed import runtime_process
from testbed.clients import environments, trials
from testbed.clients.catalogue import CLIENTS, PublicClient
from testbed.clients.front import counting
from testbed.clients.table import Tried, page, row
from testbed.clients.versions import version
from testbed.inputs import recordings, weights
from testbed.paths import REPOSITORY

PAGE: Final = REPOSITORY / "docs/reference/clients.md"
LIMIT: Final = 400_000
"""Bytes of the largest upload; the recording has 352,078."""
TOO_LONG: Final = 300
"""Seconds of silence, which are over the limit as an MP3, too: one client makes its own."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="testbed.clients", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names
    chosen = [client for client in CLIENTS if not names or any(client.folder.startswith(name) for name in names)]
    for folder in sorted({client.folder for client in chosen}):
        environments.ensure(folder)
    with tempfile.TemporaryDirectory() as directory:
        found = _tried(chosen, Path(directory))
    failures = [
        f"{one.client.folder} {one.client.program}: {task}: {verdict.failure}"
        for one in found
        for task, verdict in one.verdicts.items()
        if verdict.failure
    ]
    print(page(found))
    if failures:
        sys.exit("\n".join(failures))
    if not names:
        PAGE.write_text(page(found))


def _tried(chosen: list[PublicClient], directory: Path) -> list[Tried]:
    keys = directory / "keys"
    keys.mkdir()
    (keys / "alice").write_text(trials.KEY)
    too_large = directory / "long.wav"
    too_large.write_bytes(_silence(TOO_LONG))
    files = trials.Recordings(recordings.ensure() / "jfk.wav", too_large)
    model = str(weights.ensure()["base"])
    server = runtime_process.running(directory / "server", model=model, api_keys_dir=str(keys), max_upload_bytes=LIMIT)
    with server as runtime, counting(runtime.port) as front:
        tried: list[Tried] = []
        for client in chosen:
            pinned = version(client.language, client.package, environments.PROGRAMS / client.folder)
            tried.append(Tried(client, pinned, trials.trials(client, runtime.url, front, files)))
            print(row(tried[-1]), file=sys.stderr, flush=True)
        return tried


def _silence(seconds: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(2 * 16000 * seconds))
    return stream.getvalue()


if __name__ == "__main__":
    main()
