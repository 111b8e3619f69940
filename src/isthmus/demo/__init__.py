"""The sample: a small CRM's MongoDB database as a mongodump folder, its mapping, and the truth about what is in it.

`data/dump/crm` is what `generate` writes with the default seed; `data/truth.json` is what it planted there, and what a
copy must therefore end with. The package's other parts are not imported here.
"""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"
"""Folder with the shipped sample."""

DUMP = DATA / "dump" / "crm"
"""The mongodump folder of the sample database."""

MAPPING = Path(__file__).parent / "mapping.yaml"
"""The mapping for it."""

TRUTH = DATA / "truth.json"
"""What was planted, and what a copy ends with."""
