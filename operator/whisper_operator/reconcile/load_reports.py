"""Asks a pod that serves how fast it is, for the time at which there is none to ask."""

from __future__ import annotations

from typing import Final

from whisper_operator.reconcile.pod_reports import PodReports
from whisper_runtime.contract.front import LoadReport
from whisper_runtime.contract.network import LOAD_PATH

ASK_SECONDS: Final = 60.0
SILENT_SECONDS: Final = 600.0
"""Servers of an earlier release have nothing there."""


def load_reports() -> PodReports[LoadReport]:
    return PodReports(LOAD_PATH, LoadReport, ask_seconds=ASK_SECONDS, silent_seconds=SILENT_SECONDS)
