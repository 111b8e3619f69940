"""Sources: where documents come from, behind one Protocol.

Decides how a source text becomes a reader of raw BSON and what can be resumed there. Leaves every judgement about the
inside of a document to the core.
"""

from isthmus.sources.open import open_source
from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position, Source

__all__ = ["Block", "CollectionInfo", "Partition", "Position", "Source", "open_source"]
