"""The decisions of one pass, each made once: model, claim, image, preflight, rollout, verification. Pure."""
