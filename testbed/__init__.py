"""The test bed of demo and tests: a real cluster, images, weights and recordings, made on this machine."""
