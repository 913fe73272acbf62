"""Losses: one value per example, unweighted."""
