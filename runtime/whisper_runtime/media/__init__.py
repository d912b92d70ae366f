"""Decodes uploads into samples, in a child process that may crash; and holds a model to a clip that proves it."""
