"""Makes a release: everything but the push."""
