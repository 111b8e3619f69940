"""Programs for people who work on Isthmus: generated pages, the stub check, results of soak runs."""
