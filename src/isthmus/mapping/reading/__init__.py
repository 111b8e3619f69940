"""Reading a mapping: from YAML nodes to rules, every mistake with its line."""
