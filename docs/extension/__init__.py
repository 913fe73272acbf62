"""What of the documentation the code writes itself, and how it is built."""
