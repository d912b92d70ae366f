"""Kubernetes objects as JSON: their kinds, names and labels, and how two of them differ. Pure."""
