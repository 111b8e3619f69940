"""Tables that were there before a copy: what the source gives against what they hold, by SQL in the target's server.

The core's rows go into temporary tables (`given`), are followed to the rows that they are there (`known`), and compared
column by column as texts (`compare`); what differs is then held against the ledgers (`accounts`). `layer` reports it.
"""
