"""The runtime on processors that others use, too, beside an earlier commit."""
