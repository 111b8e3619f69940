"""The bulk load: preflight, partitions, copy, finish, balance.

`isthmus.transfer.run.copy_database` is the entry. Everything below it is one step of DESIGN section 4.
"""
