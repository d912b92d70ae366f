"""From an uploaded file to samples, in a child process that may crash; and the clip that proves a model."""
