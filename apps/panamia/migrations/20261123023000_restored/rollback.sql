-- Undoes 20261123023000_restored. What is known of retirements that were taken back is never dropped with it.

DO $$
BEGIN
    LOCK TABLE panamia_move.retirement IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM panamia_move.retirement WHERE restored_at IS NOT NULL) THEN
        RAISE EXCEPTION 'panamia_move.retirement says which retirements were taken back, which this rollback would forget.'
            USING HINT = 'Export them, and delete them; then roll back.';
    END IF;
END
$$;

ALTER TABLE panamia_move.retirement DROP COLUMN restored_by, DROP COLUMN restored_at;
