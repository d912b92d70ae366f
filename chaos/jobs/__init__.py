"""What becomes of jobs and batches when the server is killed at a write of their store: `python -m chaos jobs`."""
