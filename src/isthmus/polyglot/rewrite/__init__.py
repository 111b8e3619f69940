"""Old ids inside living MongoDB documents replaced by the ids of the rows that they became, and put back.

`run.rewrite_references` and `undo.put_back` are the entries. What a value becomes is judged by `judge`, by what
`resolve` finds in the target; `updates` says how a document is changed and only if it still is what was read.
"""
