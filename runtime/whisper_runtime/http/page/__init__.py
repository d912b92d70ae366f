"""The page by which people try the service in a browser: files that are sent as they are, and nothing to build."""
