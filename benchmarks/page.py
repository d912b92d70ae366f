"""python -m benchmarks.page: how soon a real Chromium paints the page at `/`, and what it transfers for it.

Each run is a browser that has seen nothing, before a runtime with real weights: as from a pod on the same machine. By
Chromium's own clock (https://www.w3.org/TR/paint-timing/) and its own count of what came over the network.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from testbed import runtime_process
from tests.support.browser import fresh_page, running_browser

GOAL_SECONDS: Final = 1.0
GOAL_BYTES: Final = 200_000
PAINTED: Final = """new Promise((resolve) => new PerformanceObserver((list) => resolve(list.getEntries()[0].startTime))
  .observe({ type: "paint", buffered: true }))"""
"""Milliseconds from the navigation to the first paint."""
TRANSFERRED: Final = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""
"""Bytes of all answers, headers included."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parsed = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        runtime_process.running(Path(directory)) as runtime,
        running_browser() as browser,
    ):
        found = [measured(browser, f"{runtime.url}/") for _ in range(parsed.runs)]
    paints, sizes = zip(*found, strict=True)
    row = {
        "runs": parsed.runs,
        "first paint, median, s": round(statistics.median(paints), 3),
        "first paint, longest, s": round(max(paints), 3),
        "goal, s": GOAL_SECONDS,
        "transferred, bytes": max(sizes),
        "goal, bytes": GOAL_BYTES,
    }
    print(json.dumps(row, indent=2))
    raise SystemExit(max(paints) > GOAL_SECONDS or max(sizes) > GOAL_BYTES)


def measured(browser: Browser, url: str) -> tuple[float, int]:
    """Seconds until the first paint, and bytes that were transferred."""
    with fresh_page(browser) as page:
        page.goto(url, wait_until="load")
        return page.evaluate(PAINTED) / 1000, page.evaluate(TRANSFERRED)


if __name__ == "__main__":
    main()
