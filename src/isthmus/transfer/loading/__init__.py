"""The load: partitions read, transcoded and carried batch by batch."""
