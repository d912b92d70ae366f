"""The status that the operator writes: one function for each condition, and their assembly. Pure."""
