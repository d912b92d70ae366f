"""The results that a process keeps, and requests that share one run of the model; off unless it is configured."""
