"""A service of several pods behind fronts, with a shared store and a bucket, under faults while clients use it."""
