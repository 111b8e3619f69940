-- Undoes 20261122213000_retiring. What is known of retired collections and of rewrites is never dropped with it.

DO $$
BEGIN
    LOCK TABLE panamia_move.retirement, panamia_move.undone_rewrite IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM panamia_move.retirement WHERE dropped_at IS NOT NULL) THEN
        RAISE EXCEPTION 'panamia_move.retirement says when collections were dropped, which this rollback would forget.'
            USING HINT = 'Export them, and delete them; then roll back.';
    END IF;
    IF EXISTS (SELECT FROM panamia_move.undone_rewrite) THEN
        RAISE EXCEPTION 'The table panamia_move.undone_rewrite holds rows, which this rollback would drop.'
            USING HINT = 'Export them, and delete them; then roll back.';
    END IF;
END
$$;

DROP TABLE panamia_move.undone_rewrite;
ALTER TABLE panamia_move.retirement DROP COLUMN dropped_at;
