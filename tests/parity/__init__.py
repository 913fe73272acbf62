"""Parity with the published PyTorch networks, by golden arrays."""
