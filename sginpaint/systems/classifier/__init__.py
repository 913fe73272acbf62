"""Multi-label classifier: SPL's teacher and the boosted GAN's attributes."""
