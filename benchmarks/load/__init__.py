"""Load on a real runtime process: what it does under ten times its capacity, and after a thousand requests."""
