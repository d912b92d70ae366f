"""Measures how fast the operator converges, and its requests at rest."""
