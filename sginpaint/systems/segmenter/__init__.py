"""Segmenter: a class for every pixel, of whole and of corrupted pictures."""
