"""What one pass decides, each fact once: model, claim, image, preflight, rollout, verification. Pure."""
