"""The site of the documents: what mkdocs needs beyond its own settings."""
