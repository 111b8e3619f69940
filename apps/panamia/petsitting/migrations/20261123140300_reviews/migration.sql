-- Migration: 20261123140300_reviews
-- Purpose: what owners say of a stay, one for each that is completed
-- Ticket: #9
-- Reversible: Yes
-- Dependencies: 20261123140200_bookings, public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

-- Its foreign keys say it: the booking is completed, of this listing, and its owner is the author.
CREATE TABLE public.listing_reviews (
    id text NOT NULL DEFAULT public.new_cuid2(),
    booking_id text NOT NULL,
    booking_status public.booking_status NOT NULL GENERATED ALWAYS AS ('completed') STORED,
    listing_id text NOT NULL,
    author_id text,
    rating smallint NOT NULL,
    text text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_reviews_pkey PRIMARY KEY (id),
    CONSTRAINT listing_reviews_booking_id_key UNIQUE (booking_id),
    CONSTRAINT listing_reviews_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT listing_reviews_rating_check CHECK (rating BETWEEN 1 AND 5),
    CONSTRAINT listing_reviews_text_check CHECK (text ~ '\S' AND char_length(text) <= 5000),
    CONSTRAINT listing_reviews_booking_id_listing_id_booking_status_fkey
        FOREIGN KEY (booking_id, listing_id, booking_status) REFERENCES public.bookings(id, listing_id, status)
        ON DELETE CASCADE,
    CONSTRAINT listing_reviews_booking_id_author_id_fkey FOREIGN KEY (booking_id, author_id)
        REFERENCES public.bookings(id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT listing_reviews_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id) ON DELETE SET NULL
);

CREATE INDEX listing_reviews_author_id_idx ON public.listing_reviews (author_id);
CREATE INDEX listing_reviews_listing_id_created_at_id_idx
    ON public.listing_reviews (listing_id, created_at DESC, id DESC);

-- Column by column, since a row with a generated column cannot be compared as a whole.
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.listing_reviews FOR EACH ROW
    WHEN (
        (OLD.id, OLD.booking_id, OLD.listing_id, OLD.author_id, OLD.rating, OLD.text, OLD.created_at, OLD.updated_at)
        IS DISTINCT FROM
        (NEW.id, NEW.booking_id, NEW.listing_id, NEW.author_id, NEW.rating, NEW.text, NEW.created_at, NEW.updated_at)
    )
    EXECUTE FUNCTION public.set_updated_at();
