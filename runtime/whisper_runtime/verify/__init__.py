"""The client that asks a running service: functional, performance, security."""
