"""Servers of the same weights against each other, on the same recordings and the same machine."""
