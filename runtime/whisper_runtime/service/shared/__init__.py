"""What the pods of a service share, in a Valkey or Redis; each goes on by itself while that is away."""
