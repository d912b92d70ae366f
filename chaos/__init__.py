"""Campaigns against the operator as a real process on a real API server: what it survives, and how fast."""
