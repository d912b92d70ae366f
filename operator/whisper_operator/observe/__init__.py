"""The observed cluster: the cache of objects, and the facts that decisions rest on. Pure."""
