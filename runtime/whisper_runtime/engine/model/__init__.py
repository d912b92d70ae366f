"""The forward pass: loading a checkpoint, the encoder, the decoder with its KV cache, and the device they run on."""
