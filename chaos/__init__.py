"""Fault injection against the operator as a real process on a real API server."""
