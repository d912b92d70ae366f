"""python -m benchmarks.runtime.start: from a process's start until it is ready, before and now; writes a report.

In turns with what `import torch` takes alone, and with faster-whisper's server, which proves nothing before it
answers. Files are in the page cache. Each build is as its image has it: compiled now, not compiled before, and NVIDIA's
libraries as `make gpu-stand-ins` has them.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.against.checkouts import builds
from testbed.cluster.controlplane import free_ports
from testbed.inputs import weights
from testbed.paths import REPOSITORY
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import PACKAGED_GOLDEN_DIR

BEFORE: Final = "c205354"
"""The last build that imported all at its start."""
REPORT: Final = REPOSITORY / "docs" / "reports" / "runtime-start.md"
LIMIT: Final = 300.0
ALONE: Final = "`import torch`"
WHOLE: Final = "process start to ready"

Seconds = dict[str, dict[str, list[float]]]
"""By build, by part."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base", choices=sorted(weights.SOURCES))
    parser.add_argument("--commit", default=BEFORE, help="the build that is compared with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=REPORT)
    parsed = parser.parse_args()
    checkpoint = weights.ensure()[parsed.model]
    found: Seconds = {}
    with builds(parsed.commit) as both, tempfile.TemporaryDirectory() as directory:
        golden = Path(PACKAGED_GOLDEN_DIR)
        compiled = _compiled(both.now, Path(directory) / "now")
        for _ in range(parsed.rounds):
            _add(found, ALONE, {WHOLE: _ends((sys.executable, "-c", "import torch"))})
            for name, code in (("before", both.before / "runtime"), ("now", compiled)):
                _add(found, name, {WHOLE: _ready(code, checkpoint, golden), **_parts(code, checkpoint, golden)})
            _add(found, "faster-whisper", {WHOLE: _peer("faster-float32", parsed.model)})
    text = markdown(found, parsed.model)
    parsed.out.write_text(text)
    print(text)


def markdown(found: Seconds, model: str) -> str:
    """The report: medians, and the least and the most."""
    alone, before, now = (statistics.median(found[name][WHOLE]) for name in (ALONE, "before", "now"))
    lines = [
        "# How long a start takes",
        "",
        f"`make bench-start`: {model}, float32, {os.cpu_count()} processors, every file in the page cache, seconds:",
        f"median (least to most) of {len(found['now'][WHOLE])}, in turns. A start takes {now / before:.2f} of what it",
        f"took before, and {now / alone:.2f} of what `import torch` takes alone.",
        "",
        f"| {WHOLE} | s |",
        "|---|---|",
        *(f"| {name} | {_spread(parts[WHOLE])} |" for name, parts in found.items()),
        "",
        "The parts, one after the other in a process of their own; a server imports HTTP's side while its model is",
        "loaded and proven.",
        "",
        "| part | before | now |",
        "|---|---|---|",
        *(
            f"| {part} | {_spread(found['before'][part])} | {_spread(found['now'][part])} |"
            for part in found["now"]
            if part != WHOLE
        ),
    ]
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _add(found: Seconds, build: str, seconds: dict[str, float]) -> None:
    for part, value in seconds.items():
        found.setdefault(build, {}).setdefault(part, []).append(value)
    print(build, {part: round(value, 2) for part, value in seconds.items()}, file=sys.stderr, flush=True)


def _compiled(checkout: Path, directory: Path) -> Path:
    """A copy of the runtime's code, compiled as its image's build does."""
    shutil.copytree(checkout / "runtime", directory, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(directory, quiet=1)
    return directory


def _environment(code: Path) -> dict[str, str]:
    allocator = re.findall(
        r"\b(GLIBC_TUNABLES|THP_MEM_ALLOC_ENABLE)=(\S+)", (REPOSITORY / "Dockerfile.runtime").read_text()
    )
    return {**os.environ, **dict(allocator), "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}


def _ends(command: tuple[str, ...]) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - started


def _ready(code: Path, checkpoint: Path, golden: Path) -> float:
    port, probes = free_ports(2)
    config = RuntimeConfig(
        model=str(checkpoint), golden_dir=str(golden), port=port, metrics_port=probes, drain_seconds=0
    )
    environment = _environment(code) | config.to_env()
    return _answers((sys.executable, "-m", "whisper_runtime", "serve"), environment, f"http://127.0.0.1:{probes}/ready")


def _peer(name: str, model: str) -> float:
    (port,) = free_ports(1)
    command = (sys.executable, "-m", "benchmarks.runtime.peers", name, model, str(port))
    return _answers(command, dict(os.environ), f"http://127.0.0.1:{port}/docs")


def _parts(code: Path, checkpoint: Path, golden: Path) -> dict[str, float]:
    script = REPOSITORY / "benchmarks" / "runtime" / "start_parts.py"
    command = (sys.executable, str(script), str(time.monotonic()), str(checkpoint), str(golden / "clip.wav"))
    done = subprocess.run(command, env=_environment(code), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _answers(command: tuple[str, ...], environment: dict[str, str], url: str) -> float:
    """Seconds until the process that the command starts answers 200 at `url`; it is ended then."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(lambda: process.poll() is None, url, started + LIMIT)
        return time.monotonic() - started
    finally:
        process.kill()
        process.wait()


def _wait(is_running: Callable[[], bool], url: str, deadline: float) -> None:
    while is_running() and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise SystemExit(f"{url} does not answer")


if __name__ == "__main__":
    main()
