"""Whether models, migrations and a live database still say the same."""
