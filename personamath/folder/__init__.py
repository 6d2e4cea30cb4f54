"""The dataset folder: its layout, writing, card, provenance, counts, checks and licences. Needs no Hub."""
