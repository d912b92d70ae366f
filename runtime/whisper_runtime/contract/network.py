"""Ports and paths of the runtime."""

from __future__ import annotations

from typing import Final

HTTP_PORT: Final = 8000
METRICS_PORT: Final = 9000

HEALTH_PATH: Final = "/health"
STARTUP_PATH: Final = "/startup"
READY_PATH: Final = "/ready"
METRICS_PATH: Final = "/metrics"
BALANCER_PATH: Final = "/healthz"
"""On HTTP_PORT, for load balancers that probe the port they send clients to: 200 or 503, and no word more."""
PROGRESS_PATH: Final = "/progress"
"""A fetching pod answers it on METRICS_PORT, with a FetchProgress."""
JOBS_REPORT_PATH: Final = "/jobs"
"""A pod that keeps jobs answers it on METRICS_PORT, with a JobsReport; others have none (404)."""
STORE_PATH: Final = "/store"
"""A serving pod that shares a store answers it on METRICS_PORT, with a SharedStoreReport."""
DEMAND_PATH: Final = "/demand"
"""The front answers it on METRICS_PORT, with a DemandReport."""
LOAD_PATH: Final = "/load"
"""A serving pod answers it on METRICS_PORT, with a LoadReport."""
CACHE_PATH: Final = "/cache"
"""A serving pod answers it on METRICS_PORT, with a CacheReport."""
READY_PERIOD_SECONDS: Final = 5
READY_FAILURES: Final = 2
"""Failures of the probe of READY_PATH until a pod counts as not ready; until then clients are sent to it."""
