"""Makes NextCRM databases as they grew in MongoDB, and the truth about what stands in them.

Imports nothing from isthmus: what it plants is a witness of its own. `models` says what the application writes,
`profiles` how much of it, `ids` and `relations` who points at whom, `values` and `documents` what sound documents look
like; `planting`, `oddities` and `catalogue` what is wrong with some, `truth` what must become of them. `build` joins
these. What every deployment needs for that stands in `apps.generating`.
"""
