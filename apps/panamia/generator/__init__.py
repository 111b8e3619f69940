"""Makes Pana MIA databases as they were in MongoDB in January 2026, and the truth about what stands in them.

Imports nothing from isthmus: what it plants is a witness of its own. `schema` says what collections there are, `people`
who there is and which documents each person has, `world` whom a document may point at, `values` what plain values look
like. `members`, `profiles`, `sign_in`, `content`, `mentoring`, `circles` and `forms` make sound documents. `planting`
and `verbs` say how something is planted, `cases`, `plants` and their `catalogue` what, `spots` where. `truth` and
`resolutions` are what is told of it, `telling` makes the documents that tell who people are. `build` joins all.
"""
