"""Multi-label classifier: SPL's teacher and the boosted GAN's attributes."""

from sginpaint.systems.classifier.objective import Classifier

__all__ = ["Classifier"]
