"""The operator's log lines, metrics and spans."""
