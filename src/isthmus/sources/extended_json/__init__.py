"""JSON that mongoexport writes: Extended JSON on lines, written out, or in an array."""
