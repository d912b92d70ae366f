"""The checks before pods are started: one function for each thing that can be wrong. Pure."""
