"""Plain networks that systems and losses are built from."""
