"""ESPA: interactive inpainting by external spatial attention and SPADE."""
