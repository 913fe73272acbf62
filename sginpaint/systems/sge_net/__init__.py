"""SGE-Net: semantic guidance and evaluation (ECCV 2020), and its ablations."""
