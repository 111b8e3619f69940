"""Who is one with whom: found out before anything is loaded, and never guessed."""
