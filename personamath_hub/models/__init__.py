"""Publishing a model: its files, checks, scores, licence and card."""
