"""The operator's log lines and metrics."""
