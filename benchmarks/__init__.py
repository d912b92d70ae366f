"""Benchmarks of speed, load and parity, each beside something to compare it with."""
