"""The clients' application over a real socket, with a fake engine, and with jobs and batches that are worked at."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from tests.fakes.batches import fake_batches
from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.http.app import create_app


@contextmanager
def batch_server(engine: FakeEngine, directory: Path, **config: Any) -> Generator[str]:
    """URL of a server in a thread that answers with `engine`, until the block ends; `config`: of RuntimeConfig."""
    parts = fake_parts(engine, jobs_dir=str(directory), **config)
    jobs = fake_jobs(parts, directory)
    batches = fake_batches(parts, jobs, directory)
    app = create_app(parts, jobs, batches)
    server = uvicorn.Server(uvicorn.Config(app, http="h11", lifespan="off", log_config=None))

    async def serve(listener: socket.socket) -> None:
        work = [asyncio.create_task(jobs.worker.run()), asyncio.create_task(batches.runner.run())]
        await server.serve(sockets=[listener])
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await batches.store.close()
        await jobs.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=asyncio.run, args=(serve(listener),))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
