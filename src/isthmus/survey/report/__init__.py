"""A survey for people: a summary for the terminal, and one page of HTML. Pure: it is returned, not written."""
