"""Verifies a running service by real requests: function, performance, security."""
