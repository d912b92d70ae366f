"""How fast the operator converges, and what it asks for when there is nothing to do."""
