"""The log of changes of MongoDB models: entries, what they must say, and whether it is true."""
