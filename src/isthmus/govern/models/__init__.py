"""SQLAlchemy's models as a source of migrations: loaded, made in a scratch database, compared, written as SQL."""
