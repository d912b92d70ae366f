"""Load on a real runtime process: ten times its capacity for a minute, and a thousand requests in a row."""
