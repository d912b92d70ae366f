"""Ports and paths of the runtime."""

from __future__ import annotations

from typing import Final

HTTP_PORT: Final = 8000
METRICS_PORT: Final = 9000

HEALTH_PATH: Final = "/health"
STARTUP_PATH: Final = "/startup"
READY_PATH: Final = "/ready"
METRICS_PATH: Final = "/metrics"
PROGRESS_PATH: Final = "/progress"
"""Answered by a fetching pod on METRICS_PORT, with a FetchProgress."""
READY_PERIOD_SECONDS: Final = 5
READY_FAILURES: Final = 2
"""Of the probe of READY_PATH: for how long a pod that is not ready any more may still be sent clients."""
