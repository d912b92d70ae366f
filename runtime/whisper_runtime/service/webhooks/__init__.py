"""Notices that a job has ended, posted to the address that its client named: signed, and again until they arrive."""
