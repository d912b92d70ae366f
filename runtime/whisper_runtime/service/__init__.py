"""What one process allows and does for a request, whatever protocol it came by: no routes, no middleware."""
