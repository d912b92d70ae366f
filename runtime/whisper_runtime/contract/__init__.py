"""The contract of operator and runtime: environment, ports, metrics, reports, spans. Imports pydantic alone at once."""
