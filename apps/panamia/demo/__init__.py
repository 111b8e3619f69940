"""Try what is here: embedded servers, generated people, moved so far that both databases are in use.

    python -m apps.panamia.demo                  # the main service
    python -m apps.panamia.demo.petsitting       # and its sidecar, which people book with
    python -m apps.panamia.demo.servers FILE     # the servers alone, empty

Everything lies in a folder of its own that is gone when Ctrl-C has ended it.
"""
