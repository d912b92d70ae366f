"""python -m benchmarks.diarization.off: what a server that tells no speakers apart costs beside another commit's.

Both serve tiny.en, and are started and asked by turns, so that a busy machine is busy for both; a process's own
processor time counts, and no clock. By default the other commit is the last one before speakers were told apart.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.against.checkouts import builds
from testbed import runtime_process
from testbed.inputs import recordings

FIRST: Final = "f7327072"
"""Names the commit that began with speakers."""
REQUESTS: Final = 12
WARM_UP: Final = 2


class ServerCost(NamedTuple):
    start_ms: float
    """Of a processor, until it is ready."""
    memory_mib: float
    """Anonymous, after the requests."""
    request_ms: float
    """Of a processor, the median."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", default=f"{FIRST}^")
    parser.add_argument("--turns", type=int, default=5)
    parsed = parser.parse_args()
    with builds(parsed.before) as both, tempfile.TemporaryDirectory() as compiled:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        found = [(_cost(both.before), _cost(both.now)) for _ in range(1 + parsed.turns)][1:]  # the first ones compile
    for number, name in enumerate(ServerCost._fields):
        old, new = ([pair[which][number] for pair in found] for which in (0, 1))
        ratio = statistics.median(after / earlier for earlier, after in zip(old, new, strict=True))
        print(f"{name}: {statistics.median(old):.1f} before, {statistics.median(new):.1f} now; ratio {ratio:.3f}")


def _cost(checkout: Path) -> ServerCost:
    with (
        tempfile.TemporaryDirectory() as scratch,
        runtime_process.running(Path(scratch), checkout=checkout) as server,
    ):
        started, requests = server.processor_ms, list[float]()
        for _ in range(WARM_UP + REQUESTS):
            before = server.processor_ms
            _ask(server.url)
            requests.append(server.processor_ms - before)
        return ServerCost(started, server.usage.memory_mib, statistics.median(requests[WARM_UP:]))


def _ask(url: str) -> None:
    form = ("-F", f"file=@{recordings.ensure() / 'jfk.wav'}", "-F", "model=whisper-1", "-F", "temperature=0")
    subprocess.run(("curl", "-sSf", "-o", "/dev/null", *form, f"{url}/v1/audio/transcriptions"), check=True)


if __name__ == "__main__":
    main()
