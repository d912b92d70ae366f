"""The runtime's clients' application over a real socket, with a fake engine behind it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from tests.fakes.engine import FakeEngine, fake_decode
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.diarization.interface import Diarizer
from whisper_runtime.http.app import create_app
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.service.audio_loading import Decode
from whisper_runtime.service.jobs.door import JobDoor

AS_A_PODS_USER = ("unshare", "--user", "--map-user=65532", "--map-group=65532")
"""Runs a command in a user namespace of its own, where it is not root; its files stay those of the tests' user."""


@contextmanager
def fake_server(
    engine: FakeEngine,
    decode: Decode[DecodedAudio] = fake_decode,
    diarizer: Diarizer | None = None,
    **config: Any,
) -> Generator[str]:
    """URL of a server in a thread that answers with `engine`, until the block ends; `config`: of RuntimeConfig.

    With `jobs_dir` it keeps jobs, with `diarizer` it tells speakers apart.
    """
    parts = fake_parts(engine, decode, diarizer=diarizer, **config)
    jobs = fake_jobs(parts, Path(parts.config.jobs_dir)) if parts.config.jobs_dir else None
    server = uvicorn.Server(uvicorn.Config(create_app(parts, jobs), http="h11", lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(_serve(server, listener, jobs)))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


async def _serve(server: uvicorn.Server, listener: socket.socket, jobs: JobDoor | None) -> None:
    working = [asyncio.create_task(jobs.worker.run())] if jobs else []
    await server.serve(sockets=[listener])
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    if jobs:
        await jobs.store.close()
