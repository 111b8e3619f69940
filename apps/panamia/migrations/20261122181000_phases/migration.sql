-- Migration: 20261122181000_phases
-- Purpose: what people acknowledged while the database is moved phase by phase, and what was checked and retired
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: None
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE SCHEMA panamia_move;

CREATE TABLE panamia_move.acknowledgement (
    id bigint GENERATED ALWAYS AS IDENTITY,
    phase integer NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    shown text NOT NULL,
    reason text NOT NULL,
    acknowledged_by text NOT NULL,
    acknowledged_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    CONSTRAINT acknowledgement_pkey PRIMARY KEY (id),
    CONSTRAINT acknowledgement_reason_check CHECK (reason <> '')
);

CREATE UNIQUE INDEX acknowledgement_key ON panamia_move.acknowledgement (phase, kind, key) WHERE withdrawn_at IS NULL;

CREATE TABLE panamia_move.rewrite_check (
    id bigint GENERATED ALWAYS AS IDENTITY,
    rewrite_id bigint NOT NULL,
    outcome text NOT NULL,
    would_change bigint NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT rewrite_check_pkey PRIMARY KEY (id),
    CONSTRAINT rewrite_check_outcome_check CHECK (outcome IN ('passed', 'failed'))
);

CREATE TABLE panamia_move.retirement (
    id bigint GENERATED ALWAYS AS IDENTITY,
    phase integer NOT NULL,
    collection text NOT NULL,
    documents bigint NOT NULL,
    export_file text NOT NULL,
    sha256 text NOT NULL,
    retired_by text NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT retirement_pkey PRIMARY KEY (id)
);
