"""SPL once more, in PyTorch, to be timed beside ours: see README.md."""
