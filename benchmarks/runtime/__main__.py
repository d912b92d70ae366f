"""make bench-runtime: every server, the same weights, recordings and machine, turn by turn in one go."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch

from benchmarks.runtime import load, report, speech, systems
from benchmarks.runtime.report import Load
from testbed.inputs import weights
from testbed.paths import REPOSITORY

REPORTS: Final = REPOSITORY / "docs" / "reports"
MOST_REQUESTS: Final = 32
"""In a round; below it each client sends two files, the second one to a server that is at work."""
JUDGED_CLIENTS: Final = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["base", "tiny.en"])
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 4, 8, 32])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--systems", nargs="+", default=systems.SYSTEMS[device])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-long", action="store_true", help="leaves the long file out")
    parser.add_argument("--out", type=Path, default=REPORTS)
    parsed = parser.parse_args()
    weights.ensure()
    loads = [load for model in parsed.models for load in _loads(model, parsed.clients, with_long=not parsed.no_long)]
    results: dict[Load, dict[str, list[load.Round]]] = {}
    costs: dict[tuple[str, str], tuple[float, float]] = {}
    for model in parsed.models:
        with tempfile.TemporaryDirectory() as directory, systems.running(parsed.systems, model, Path(directory)) as up:
            for one in [one for one in loads if one.model == model]:
                results[one] = _rounds(one, up, parsed.rounds)
            costs |= {(model, system.name): (system.peak_mib, system.start_seconds) for system in up}
    parsed.out.mkdir(parents=True, exist_ok=True)
    text = report.markdown(results, costs)
    (parsed.out / "runtime-bench.md").write_text(text + "\n![requests per second](runtime-bench.svg)\n")
    report.plot(results, parsed.out / "runtime-bench.svg")
    print(text)


def _loads(model: str, clients: Sequence[int], *, with_long: bool) -> list[Load]:
    """Short clips at every number of clients, and one long file.

    A multilingual model is told no language; at the number that is judged, it is also told one.
    """
    named = "en" if model.endswith(".en") else None
    found = [Load(model, "short clips", count, named) for count in clients]
    if named is None and JUDGED_CLIENTS in clients:
        found.append(Load(model, "short clips", JUDGED_CLIENTS, "en"))
    return [*found, Load(model, "long file", 1, "en")] if with_long else found


def _rounds(one: Load, up: list[systems.System], rounds: int) -> dict[str, list[load.Round]]:
    """One round of each system after the other, so that what else the machine does meets all of them."""
    clips = speech.short_clips() if one.kind == "short clips" else [speech.long_clip()]
    requests = max(len(clips), min(2 * one.clients, MOST_REQUESTS)) if one.clients > 1 else len(clips)
    found: dict[str, list[load.Round]] = {system.name: [] for system in up}
    for number in range(rounds):
        for system in up:
            done = load.run(system, clips, one.clients, requests, one.language)
            found[system.name].append(done)
            print(f"{one}, round {number + 1}, {system.name}: {done.per_second:.2f}/s", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
