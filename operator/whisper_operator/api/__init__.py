"""What users write and what the operator answers: spec, status, conditions and their rules. Pure."""
