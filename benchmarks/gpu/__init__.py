"""One run on a machine with one GPU: tests on the card, and what a step, a window and a request take there."""
