"""Who is computed when: the scheduler, its sequences, and the one thread that owns the model."""
