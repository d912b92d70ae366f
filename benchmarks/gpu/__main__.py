"""make gpu: the whole run on a machine with one H100 or H200, from this checkout and the folder of `make gpu-kit`.

The machine needs Python 3.12, torch 2.11, numba, tiktoken and pytest, and no network. The run ends within nine minutes,
whatever fails. The report is written after each stage, to OUT/gpu.md; where a card was there, also to docs/reports.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.gpu import report
from benchmarks.gpu.kit import DEFAULT, RECORDINGS, WEIGHTS, WHEELS
from benchmarks.gpu.sizes import SIZES
from benchmarks.gpu.stages import Stage, StageResult, run
from testbed.paths import REPOSITORY

TOTAL_SECONDS: Final = 510.0
"""Less than nine minutes, with room for this process itself."""
REPORT: Final = REPOSITORY / "docs" / "reports" / "gpu.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--kit", type=Path, default=DEFAULT, help="the folder that `make gpu-kit` filled")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist" / "gpu", help="for report, logs and profiles")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: a rehearsal")
    parser.add_argument("--size", choices=SIZES, default="large-v3")
    parser.add_argument("--seconds", type=float, default=TOTAL_SECONDS, help="the bound of the whole run")
    parsed = parser.parse_args()
    ends = time.monotonic() + parsed.seconds
    parsed.out.mkdir(parents=True, exist_ok=True)
    for old in parsed.out.glob("*.jsonl"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="gpu-") as work:
        results = _run(parsed, Path(work), ends)
    sys.exit(0 if all(one.is_ok for one in results) else 1)


def _run(parsed: argparse.Namespace, work: Path, ends: float) -> list[StageResult]:
    environment = _environment(work, parsed.device)
    _lay_cache(parsed.kit, work)
    results: list[StageResult] = []
    for stage in stages(parsed.kit, work, parsed.out, parsed.device, parsed.size):
        print(f"{stage.name} …", flush=True)
        results.append(run(stage, results, parsed.out, environment, ends - time.monotonic()))
        print(f"{stage.name}: {results[-1].outcome}, {results[-1].seconds:.1f} s", flush=True)
        _write(results, parsed)
    return results


def stages(kit: Path, work: Path, out: Path, device: str, size: str) -> tuple[Stage, ...]:
    """In the order of their use: where time runs out, the last ones are left out."""
    wheels = tuple(str(wheel) for wheel in sorted((kit / WHEELS).glob("*.whl")))
    pip = ("pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", str(_site(work)))
    tests = ("pytest", "-c", "benchmarks/gpu/pytest.ini", "--rootdir=.", "--confcutdir=tests/gpu", "tests/gpu")

    def module(name: str, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-m", name, *arguments)

    def measure(name: str, seconds: float, *needs: str) -> Stage:
        told = ("--device", device, "--size", size, "--work", str(work), "--out", str(out))
        return Stage(name, module(f"benchmarks.gpu.measure.{name}", *told), seconds, needs)

    return (
        Stage("install", module(*pip, *wheels), 60),
        measure("machine", 90, "install"),
        measure("models", 120, "machine"),
        Stage("tests", module(*tests), 150, ("models",)),
        measure("steps", 120, "models"),
        measure("encoder", 60, "models"),
        measure("clients", 120, "models"),
        measure("upstream", 90, "models"),
        measure("profile", 90, "models"),
    )


def _environment(work: Path, device: str) -> dict[str, str]:
    path = os.pathsep.join(("operator", "runtime", ".", str(_site(work))))
    told = {"PYTHONPATH": path, "WHISPER_OPERATOR_CACHE": str(work), "WHISPER_TEST_DEVICE": device}
    return {**os.environ, **told, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _site(work: Path) -> Path:
    return work / "site"


def _lay_cache(kit: Path, work: Path) -> None:
    """Recordings and weights, where the other benchmarks and tests look for them."""
    for folder in (RECORDINGS, WEIGHTS):
        shutil.copytree(kit / folder, work / folder)


def _write(results: list[StageResult], parsed: argparse.Namespace) -> None:
    names = [row["device"] for one in results for row in one.rows if "device" in row]
    text = report.markdown(results, f"{parsed.size} on {names[0] if names else parsed.device}")
    (parsed.out / "gpu.md").write_text(text)
    if parsed.device == "cuda" and names:
        REPORT.write_text(text)


if __name__ == "__main__":
    main()
