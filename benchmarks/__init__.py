"""Speed and memory, measured; see README.md for what each command says."""
