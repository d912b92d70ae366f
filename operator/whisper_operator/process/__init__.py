"""The operator's process: its settings, its health, and the tasks that run until it is told to stop."""
