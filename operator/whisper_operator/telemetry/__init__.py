"""What the operator tells about itself: log lines and metrics."""
