"""Recipes for `config.data`, chosen by `data=<recipe>`."""
