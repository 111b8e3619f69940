"""Rules of the log of changes; one a module, each with a page in docs/reference/rules."""
