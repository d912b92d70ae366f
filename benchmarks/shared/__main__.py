"""python -m benchmarks.shared [ROW ...]: this build beside an earlier commit, on processors that others use, too.

Each server is in a control group of its own, as a pod is; both are up all the time, and in each round each has its turn
with the same recordings. `--also VARIABLE=VALUE` adds this build with another setting of OpenMP.
"""

from __future__ import annotations

import argparse
import datetime
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from benchmarks.against.checkouts import Builds, builds
from benchmarks.runtime import load, speech
from benchmarks.runtime.systems import System, image_memory
from benchmarks.shared import report
from benchmarks.shared.groups import cpu_group, neighbour
from benchmarks.shared.report import Side
from testbed import runtime_process
from testbed.inputs import weights

BEFORE: Final = "c205354"
"""The last commit whose threads spin."""
CLIENTS: Final = (1, 8)
OPENMP: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@dataclass(frozen=True)
class SharedRow:
    """What the processors are shared with, and what is asked of this build."""

    what: str
    goal: float
    """Requests a second, by those of before."""
    neighbour: float | None = None
    """Its share, by a server's; None: there is none."""
    quota: float | None = None
    """Processors; None: there is none."""
    requests: tuple[int, int] = (3, 8)
    """Of a round, with one client and with several."""


ROWS: Final = {
    "idle": SharedRow("an idle machine", 0.98),
    "equal": SharedRow("a busy neighbour of equal weight", 1.7, neighbour=1),
    "heavy": SharedRow("a busy neighbour of four times the weight", 3, neighbour=4),
    "half": SharedRow("a quota of half a processor", 1.8, quota=0.5, requests=(2, 8)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all, where none is named")
    parser.add_argument("--commit", default=BEFORE)
    parser.add_argument("--clients", nargs="+", type=int, default=CLIENTS)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each build")
    parser.add_argument("--requests", type=int, help="of a round; by the row, where it is not given")
    parser.add_argument("--model", default="base")
    parser.add_argument("--also", nargs="+", default=[], metavar="VARIABLE=VALUE", help="this build with it")
    parsed = parser.parse_args()
    signal.signal(signal.SIGTERM, _exit)
    if unknown := set(parsed.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    weights.ensure()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    with builds(parsed.commit) as found:
        for name in parsed.rows or ROWS:
            row = ROWS[name]
            with _servers(row, found, parsed.model, parsed.also) as up:
                for clients in parsed.clients:
                    alone, together = row.requests
                    requests: int = parsed.requests or (together if clients > 1 else alone)
                    title = report.Title(parsed.model, row.what, clients, row.goal, parsed.commit, today)
                    for sides in _rounds(row, up, clients, requests, parsed.rounds):
                        report.write(title, sides)


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)  # by an exception, for there are servers to end


@contextmanager
def _servers(row: SharedRow, found: Builds, model: str, also: list[str]) -> Generator[dict[Side, System]]:
    """The servers by their side; they start at the same time."""
    sides = {Side("before"): found.before, Side("now"): found.now} | {Side("now", one): found.now for one in also}
    with ExitStack() as stack:
        with ThreadPoolExecutor(len(sides)) as pool:
            starting = {
                side: pool.submit(stack.enter_context, _server(f"server-{number}", row, checkout, model, side.setting))
                for number, (side, checkout) in enumerate(sides.items())
            }
        yield {side: started.result() for side, started in starting.items()}


@contextmanager
def _server(name: str, row: SharedRow, checkout: Path, model: str, setting: str) -> Generator[System]:
    """A server that is in its group from its start on: there it looks for its quota."""
    unset = [part for variable in OPENMP for part in ("--unset", variable)]
    variables = [*(f"{key}={value}" for key, value in image_memory().items()), *([setting] if setting else [])]
    path = str(weights.path(model))
    with cpu_group(name, quota=row.quota) as group, tempfile.TemporaryDirectory() as directory:
        prefix = (*group.prefix, "env", *unset, *variables)
        with runtime_process.running(Path(directory), prefix=prefix, checkout=checkout, model=path) as running:
            yield System("runtime", running.process, running.port, 0.0)


def _rounds(
    row: SharedRow, up: dict[Side, System], clients: int, requests: int, rounds: int
) -> Iterator[dict[Side, list[load.Round]]]:
    """Yields after each round all that were taken, in turns; the neighbour computes while requests are sent alone."""
    clips = speech.short_clips()
    found: dict[Side, list[load.Round]] = {side: [] for side in up}
    with nullcontext() if row.neighbour is None else neighbour(row.neighbour):
        for number in range(rounds):
            for side, system in up.items():
                done = load.run(system, clips, clients, requests, language=None)
                found[side].append(done)
                shown = f"{row.what}, {clients} clients, round {number + 1}, {side}: {done.per_second:.2f}/s"
                print(shown, file=sys.stderr, flush=True)
            yield found


if __name__ == "__main__":
    main()
