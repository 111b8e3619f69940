"""MongoDB and PostgreSQL side by side: documents that go on living and point at rows."""
