"""Public clients of OpenAI's audio API, unmodified, against a real runtime: `make clients`."""
