"""A network that others use: of losses and measures; it is not trained here."""
