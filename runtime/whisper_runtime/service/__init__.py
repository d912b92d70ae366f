"""The limits of one process, and its work for a request of whatever protocol: no routes, no middleware."""
