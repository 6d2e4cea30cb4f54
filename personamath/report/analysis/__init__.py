"""The paper's tables and figures, and what nobody reports: each analysis a function of rows to a small table.

`rows.read_run` reads a run or a published folder, `catalogue.analyses` takes it through all of them, and
`result.Analysis` is what each gives: a sentence, a table, a chart to draw, and how it was found.
"""
