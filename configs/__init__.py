"""Configs: one small file per variant, over `common.py`."""
