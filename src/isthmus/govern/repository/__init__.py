"""What a git repository holds: trees of blobs, read from the index and from commits."""
