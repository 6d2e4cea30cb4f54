"""Fine-tuning: rows become examples, a model is trained on them, and a record describes the run. No teacher is used.

`recipes/sft.py` is the entry point. `examples` and `batching` need no torch; `trainer` and `attention` do.
"""
