"""The two pages of the service that people see: sign in, and what they have."""
