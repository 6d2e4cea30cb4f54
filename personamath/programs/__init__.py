"""Programs that a model writes: found in its reply, checked, and run in a sandbox.

reading   finds the program in a reply, and refuses what it must not use
sandbox   runs one program, with limits, cut off from files, network, processes and the environment
pool      runs programs beside an event loop, each once
jail      the script in which a program runs; syscalls says which calls of the system it may not make
"""
