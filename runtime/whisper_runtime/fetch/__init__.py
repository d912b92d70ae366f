"""Brings a checkpoint into the cache: checked whole and loadable, and under its name only then."""
