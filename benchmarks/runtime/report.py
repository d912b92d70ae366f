"""The table and the plot of a run."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.runtime.load import Round


@dataclass(frozen=True)
class Load:
    model: str
    kind: str
    """`short clips` or `long file`."""
    clients: int
    language: str | None

    def __str__(self) -> str:
        named = f"language {self.language}" if self.language else "no language named"
        return f"{self.model}, {self.kind}, {self.clients} client{'s' if self.clients > 1 else ''}, {named}"


Rounds = Mapping[str, Sequence[Round]]
"""By system."""


def markdown(results: Mapping[Load, Rounds], memory: Mapping[tuple[str, str], tuple[float, float]]) -> str:
    """The report; `memory` is peak MiB and seconds to start by model and system."""
    lines = ["# Servers of one model against each other", "", _machine(), ""]
    for load, rounds in results.items():
        lines += [f"## {load}", "", *_table(rounds), ""]
    lines += ["## Memory and start", "", "| model | system | peak MiB | seconds to start |", "|---|---|---|---|"]
    lines += [f"| {model} | {name} | {peak:.0f} | {start:.1f} |" for (model, name), (peak, start) in memory.items()]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    gpu = f"one {torch.cuda.get_device_name()} and " if torch.cuda.is_available() else ""
    return (
        f"`make bench-runtime` on {gpu}{os.cpu_count()} cores of {processor_name()}. All servers are up all the time; "
        "in each round each of them has its turn with the same load. Numbers are medians over the rounds (least to "
        "most); the ratio is to the plain handler's median; words are compared as openai-whisper normalises English."
    )


def processor_name() -> str:
    """The processors' name, as the kernel has it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))


def _table(rounds: Rounds) -> list[str]:
    from whisper.normalizers import EnglishTextNormalizer

    normalize = EnglishTextNormalizer()
    lines = [
        "| system | requests/s | ratio | audio s/s | p50 s | p95 s | p99 s | first text s | WER % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    base = statistics.median(one.per_second for one in next(iter(rounds.values())))
    for name, found in rounds.items():
        ratio = statistics.median(one.per_second for one in found) / base
        wer = statistics.median(100 * one.errors(normalize) for one in found)
        cells = [
            spread(found, lambda one: one.per_second),
            f"{ratio:.2f}",
            spread(found, lambda one: one.audio_per_second, digits=1),
            *(spread(found, lambda one, percent=percent: one.percentile(percent)) for percent in (50, 95, 99)),
            spread(found, lambda one: one.first_seconds),
            f"{wer:.1f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def spread(found: Sequence[Round], value: Callable[[Round], float], digits: int = 2) -> str:
    """The median of `value` over the rounds, with the smallest and the largest."""
    values = [value(one) for one in found]
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def plot(results: Mapping[Load, Rounds], path: Path) -> None:
    """Requests per second of every load, a bar for each system."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    plt: Any = pyplot
    figure, axes = plt.subplots(len(results), 1, figsize=(8, 1.6 * len(results)), squeeze=False, layout="constrained")
    for axis, (load, rounds) in zip(axes[:, 0], results.items(), strict=True):
        names = list(rounds)
        middle = [statistics.median(one.per_second for one in rounds[name]) for name in names]
        axis.barh(names, middle, color=["#888888" if not name.startswith("runtime") else "#2a7de1" for name in names])
        axis.invert_yaxis()
        axis.set_title(str(load), fontsize=9, loc="left")
        axis.tick_params(labelsize=8)
    axes[-1, 0].set_xlabel("requests per second", fontsize=9)
    figure.savefig(path)
