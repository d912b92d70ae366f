"""The kernel holds the programs that read media to their limits."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from whisper_runtime.media import cage

LIMITED = cage.limited(1000, 5)


@pytest.mark.parametrize(
    ("attempt", "ends"),
    [
        ("pass", 0),
        ("open('/dev/null'); open('/dev/null')", 0),  # one after the other
        ("kept = open('/dev/null'); open('/dev/null')", 1),
        ("kept = open('/dev/null'); import _socket; _socket.socket()", 1),
        ("import os; os.write(1, bytes(1001)); os.write(1, bytes(1))", -signal.SIGXFSZ),
        ("bytes(2 << 30)", 1),
        ("import resource as r; assert r.getrlimit(r.RLIMIT_CPU) == (5, 5)", 0),
        ("import resource as r; assert r.getrlimit(r.RLIMIT_NPROC) == (0, 0)", 0),
        ("import resource as r; assert r.getrlimit(r.RLIMIT_CORE) == (0, 0)", 0),
    ],
)
async def test_the_kernel_holds_the_decoder_to_its_limits(tmp_path: Path, attempt: str, ends: int) -> None:
    with (tmp_path / "out").open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *LIMITED, sys.executable, "-ISc", f"import signal as s; s.signal(s.SIGXFSZ, s.SIG_DFL); {attempt}",
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == ends


async def test_the_decoder_ends_with_the_server(tmp_path: Path) -> None:
    """Killed outright, the server cannot end its decoders: the kernel does, and their output then ends."""
    decoder = f"{' '.join(LIMITED)} bash -c 'echo runs; exec sleep 60'"
    server = await asyncio.create_subprocess_exec("bash", "-c", f"{decoder} & wait", stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    assert await server.stdout.readline() == b"runs\n"
    server.send_signal(signal.SIGKILL)
    async with asyncio.timeout(10):
        assert await server.stdout.read() == b""
        await server.wait()
