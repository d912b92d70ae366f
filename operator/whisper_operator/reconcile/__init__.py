"""One pass over one service, step by step, and the queue that says which service is next."""
