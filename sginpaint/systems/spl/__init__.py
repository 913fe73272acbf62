"""SPL: context-aware inpainting with learned semantic priors (IJCAI 2021)."""
