"""`make demo`: from a bare machine to spoken words as text."""
