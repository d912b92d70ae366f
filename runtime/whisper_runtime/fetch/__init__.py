"""Puts a checkpoint into the cache: proven whole and loadable, and under its name only then."""
