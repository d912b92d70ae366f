"""A registry of OCI artifacts and images: its manifests, its blobs, and the files in them, as they come."""
