"""What every application beside Pana MIA's PostgreSQL needs; nothing in here knows of one of them."""
