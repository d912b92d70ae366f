"""What the operator and the runtime agree on: environment, ports, paths, metrics, reports. Needs pydantic alone."""
