"""Proof that a copy is what the source says: seven layers, each able to fail, each with a stated blind spot.

What several layers share lives here; `reference` is the slow, plain second implementation of the whole conversion.
"""
