"""python -m benchmarks.load overload | soak | beside: runs the long form and writes its report under docs/reports/."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from benchmarks.load import beside, overload, soak
from testbed.inputs import weights
from testbed.runtime_process import RuntimeProcess, running

FormResult = tuple[str, list[str]]
"""The report, and the problems that it lists."""
REPORTS = Path(__file__).resolve().parents[2] / "docs/reports"


async def _overload(runtime: RuntimeProcess, work: Path, asked: argparse.Namespace) -> FormResult:
    report = await overload.run(runtime, work, asked.seconds)
    return overload.markdown(report, asked.model), report.problems


async def _soak(runtime: RuntimeProcess, work: Path, asked: argparse.Namespace) -> FormResult:
    report = await soak.run(runtime, work, asked.requests)
    return soak.markdown(report, asked.model), report.problems


async def _beside(runtime: RuntimeProcess, work: Path, asked: argparse.Namespace) -> FormResult:
    report = await beside.run(runtime, work, asked.requests)
    return beside.markdown(report, asked.model), report.problems


FORMS: Final[dict[str, Callable[[RuntimeProcess, Path, argparse.Namespace], Coroutine[Any, Any, FormResult]]]] = {
    "overload": _overload,
    "soak": _soak,
    "beside": _beside,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("--model", default="tiny.en", choices=sorted(weights.SOURCES))
    parser.add_argument("--seconds", type=float, default=60, help="of overload")
    parser.add_argument("--requests", type=int, default=1000, help="of the soak, or of short clips")
    asked = parser.parse_args()
    model = str(weights.ensure()[asked.model])
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        with running(work / "runtime", model=model, max_queued_audio_seconds=120) as runtime:
            text, problems = asyncio.run(FORMS[asked.form](runtime, work, asked))
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / f"runtime-{asked.form}.md").write_text(text)
    print(text)
    if problems:
        sys.exit(f"{len(problems)} problems, which the report lists")


if __name__ == "__main__":
    main()
