"""The engine for many machines: the stages of one seed problem as ever, in actors of Ray Data over blocks of them.

folder    a run directory that every machine sees: a path, or an object store through fsspec
blocks    a block of seed problems, and what lies in the run directory of it: answers and rows, as parquet
answers   what a block remembers while it is worked on
desk      the one place at the driver that hears how far the actors are, and tells them to stop
worker    the actor: blocks in, their answers and rows to the run directory
driver    the whole run
"""
