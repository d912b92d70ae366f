"""The metrics that Prometheus scrapes: those of requests, of the engine, and of the process."""
