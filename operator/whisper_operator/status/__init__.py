"""What the operator reports: one function for each condition, and the status made of them. Pure."""
