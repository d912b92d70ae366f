"""What a front adds to a request, what it refuses, its memory, and how fast it starts and sees servers."""
