"""What judges in tests: a decoder of COPY bytes and comparisons, each written apart from the code it judges."""
