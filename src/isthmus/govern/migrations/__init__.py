"""What the files of a folder of migrations mean: names and numbers, headers, journals. Pure."""
