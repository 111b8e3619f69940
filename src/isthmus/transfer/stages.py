"""Names for the instants of a run at which something becomes true; see `isthmus.work.stages`."""

from isthmus.work.stages import listeners, reached

__all__ = ["listeners", "reached"]
