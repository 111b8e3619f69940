"""What the CRM asks its database: statements as the application sends them, and parameters drawn from the data."""
