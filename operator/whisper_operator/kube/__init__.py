"""The only folder that talks to the API server: requests, watches, and the Lease."""
