"""Reading a rewriting completion: which part of it is the new question, and whether it can be used.

wrapping   what models put around a question, taken off layer by layer
introductions  greetings and lead-ins in other languages
typeset    LaTeX around a whole question
parts      named parts ("Original:", "Rephrased:"), of which the last rewrite is read
refusing   declining, or asking for the problem
asking     whether a text asks something
telling    whether it tells its answer
numbers    its numbers, and whether a rewrite has lost them
language   whether it is in the language of its seed problem
sameness   whether it changes anything
"""
