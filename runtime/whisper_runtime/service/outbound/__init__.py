"""Requests to servers that a client names: which are allowed, at which addresses, and connected to just these."""
