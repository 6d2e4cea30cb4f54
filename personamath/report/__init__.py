"""The report: one HTML page with everything that was found in a dataset, its rows included, and the same as Markdown.

`write.write_report` makes the folder; `browser` packs the rows, `figures` draws, `markdown` and `page` write.
"""
