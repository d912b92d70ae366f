"""python -m benchmarks.load overload | soak: runs the long form and writes its report under docs/reports/."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.load import overload, soak
from testbed.runtime_process import running

REPORTS = Path(__file__).resolve().parents[2] / "docs/reports"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("form", choices=("overload", "soak"))
    parser.add_argument("--seconds", type=float, default=60, help="of overload")
    parser.add_argument("--requests", type=int, default=1000, help="of the soak")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        with running(work / "runtime", max_queued_audio_seconds=120) as runtime:
            if asked.form == "overload":
                report = asyncio.run(overload.run(runtime, work, asked.seconds))
                text, problems = overload.markdown(report), report.problems
            else:
                found = asyncio.run(soak.run(runtime, work, asked.requests))
                text, problems = soak.markdown(found), found.problems
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / f"runtime-{asked.form}.md").write_text(text)
    print(text)
    if problems:
        sys.exit(f"{len(problems)} problems, which the report lists")


if __name__ == "__main__":
    main()
