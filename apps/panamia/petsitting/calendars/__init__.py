"""Which days of a listing are free: for programs, for people, and for their own calendars."""
