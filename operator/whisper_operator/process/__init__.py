"""The operator's process: its settings, its health, and the tasks that run until a signal stops it."""
