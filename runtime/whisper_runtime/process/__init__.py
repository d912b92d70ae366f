"""The server's process: from start to drain, on two ports."""
