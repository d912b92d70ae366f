"""A real single-node Kubernetes on this machine, for the demo and the tests."""
