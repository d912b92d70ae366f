"""Jobs: recordings that are kept until they are transcribed, whatever ends in between; no routes."""
