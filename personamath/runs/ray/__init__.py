"""The engine for many machines: actors of Ray Data take blocks of seed problems through the same stages.

blocks     a block of seed problems, and the file of its rows in the run directory
answers    the answers of a block while it is worked on
gate       the caps, handed out to the actors in small parts
desk       the one place at the driver that counts how far the actors are, and stops them
worker     the actor: blocks in, their answers and rows to the run directory
cluster    joining a Ray cluster, or starting one
actors     Ray Data over the blocks
inventory  which blocks of a run are done, and which are left
driver     the whole run

Only `personamath augment --engine ray` imports it. The run directory itself is personamath.journal.run_folder.
"""
