"""The paper's tables and figures, and analyses that the paper lacks; each is a function from rows to a small table.

`rows.read_run` reads a run or a published folder. `catalogue.analyses` runs all analyses on it. Each returns a
`result.Analysis`: a sentence, a table, a chart to draw, and a note on the method.
"""
