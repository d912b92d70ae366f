"""What is asked of a request before its body is read: one ASGI layer a file."""
