"""The forward pass: loading a checkpoint, encoder, decoder, and what they run on."""
