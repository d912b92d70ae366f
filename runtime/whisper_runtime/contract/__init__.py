"""The contract of operator and runtime: environment, ports, paths, metrics, reports. Imports pydantic only."""
