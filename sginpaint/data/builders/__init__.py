"""Builders of the data sets that the library brings or prepares."""
