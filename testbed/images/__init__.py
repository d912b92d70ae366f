"""Both images from their Dockerfiles, without a daemon, and into the demo's cluster."""
