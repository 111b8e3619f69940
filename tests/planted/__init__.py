"""Seeded makers of MongoDB databases with planted truth, for tests of looking, of references and of verifying.

A generator (`crm`, `random_database`) gives a `database.Database`: documents as BSON, and a `truth.Truth` that says
what is in them. `write` lays both down. Nothing here imports isthmus, so that the truth is a witness of its own.
"""
