"""The report: one HTML page with all findings about a dataset and all its rows, and the findings as Markdown.

`write.write_report` makes the folder; `browser` packs the rows, `figures` draws, `markdown` and `page` write.
"""
