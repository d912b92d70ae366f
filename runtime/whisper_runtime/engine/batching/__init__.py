"""Continuous batching: requests, their sequences of windows, slots, and the scheduler that decodes them together."""
