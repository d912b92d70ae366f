"""What demo and tests run on: a real cluster, images, weights and recordings, made on this machine."""
