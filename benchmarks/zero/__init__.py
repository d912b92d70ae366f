"""What clients of a service without a pod wait for, on the real cluster of `make platform`."""
