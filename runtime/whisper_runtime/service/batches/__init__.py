"""Batches: files that clients upload, and the lines of such a file as jobs whose answers are files again; no routes."""
