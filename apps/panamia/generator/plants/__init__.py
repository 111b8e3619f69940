"""The catalogue: everything that is planted, by the part of the application that it stands in."""
