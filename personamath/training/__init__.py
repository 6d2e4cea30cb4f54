"""Fine-tuning: rows made into examples, trained on exactly, and a record of what the run was. Never sees a teacher.

`recipes/sft.py` is the way in. `examples` and `batching` need no torch; `trainer` and `attention` do.
"""
