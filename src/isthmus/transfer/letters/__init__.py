"""Dead letters of a complete run, answered: tried again with a corrected mapping, batch by batch (`retry`)."""
