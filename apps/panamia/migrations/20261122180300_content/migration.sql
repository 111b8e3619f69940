-- Migration: 20261122180300_content
-- Purpose: articles that outlive their authors
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TYPE public.article_type AS ENUM ('business_update', 'community_commentary');

CREATE TYPE public.article_status AS ENUM ('draft', 'pending_review', 'revision_needed', 'published', 'removed');

CREATE TABLE public.articles (
    id text NOT NULL,
    slug text NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    excerpt text,
    cover_image text,
    article_type public.article_type NOT NULL,
    tags text[] NOT NULL DEFAULT '{}',
    author_id text,
    co_authors jsonb NOT NULL DEFAULT '[]',
    reviewed_by jsonb,
    in_reply_to text,
    status public.article_status NOT NULL DEFAULT 'draft',
    published_at timestamptz,
    removed_at timestamptz,
    removed_by text,
    removal_reason text,
    reading_time integer NOT NULL DEFAULT 1,
    mastodon_post_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT articles_pkey PRIMARY KEY (id),
    CONSTRAINT articles_slug_key UNIQUE (slug),
    CONSTRAINT articles_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT articles_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id) ON DELETE SET NULL,
    CONSTRAINT articles_in_reply_to_fkey FOREIGN KEY (in_reply_to) REFERENCES public.articles(id) ON DELETE SET NULL,
    CONSTRAINT articles_removed_by_fkey FOREIGN KEY (removed_by) REFERENCES public.users(id) ON DELETE SET NULL
);

CREATE INDEX articles_author_id_status_idx ON public.articles (author_id, status);
CREATE INDEX articles_co_authors_idx ON public.articles USING gin (co_authors jsonb_path_ops);
CREATE INDEX articles_in_reply_to_idx ON public.articles (in_reply_to);
CREATE INDEX articles_removed_by_idx ON public.articles (removed_by);
CREATE INDEX articles_status_published_at_idx ON public.articles (status, published_at DESC);
CREATE INDEX articles_tags_idx ON public.articles USING gin (tags);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.articles FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
