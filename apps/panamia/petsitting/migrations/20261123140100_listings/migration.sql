-- Migration: 20261123140100_listings
-- Purpose: what people offer by the day: kinds of it, money, places and photos
-- Ticket: #9
-- Reversible: Yes
-- Dependencies: public.users, public.users.id
-- Data Migration: Inline
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows, but for those that this file makes.

-- Refuses a row in the name of a constraint, where a CHECK cannot: it sees one row, and no clock.
CREATE FUNCTION public.refuse_row(of_table text, of_constraint text, sentence text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    RAISE EXCEPTION '%', sentence
        USING ERRCODE = 'check_violation', SCHEMA = 'public', TABLE = of_table, CONSTRAINT = of_constraint;
END
$function$;

-- What can be booked. A further kind is a row.
CREATE TABLE public.listing_kinds (
    key text NOT NULL,
    title text NOT NULL,
    provider_word text NOT NULL,
    customer_word text NOT NULL,
    hold_minutes integer NOT NULL,
    longest_days integer NOT NULL,
    furthest_days integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_kinds_pkey PRIMARY KEY (key),
    CONSTRAINT listing_kinds_key_check CHECK (key ~ '^[a-z]+(-[a-z]+)*$'),
    CONSTRAINT listing_kinds_hold_minutes_check CHECK (hold_minutes BETWEEN 1 AND 43200),
    CONSTRAINT listing_kinds_longest_days_check CHECK (longest_days BETWEEN 1 AND 3660),
    CONSTRAINT listing_kinds_furthest_days_check CHECK (furthest_days BETWEEN 1 AND 3660)
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.listing_kinds FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

-- Dated as this file is, here and below: by that the rollback knows rows that were written since.
INSERT INTO public.listing_kinds
    (key, title, provider_word, customer_word, hold_minutes, longest_days, furthest_days, created_at, updated_at)
SELECT key, title, provider_word, customer_word, hold_minutes, longest_days, furthest_days, at, at
FROM (VALUES
    ('pet-sitting', 'Pet sitting', 'sitter', 'owner', 1440, 90, 365),
    ('rental', 'Rental', 'landlord', 'renter', 30, 365, 730)
) AS kind (key, title, provider_word, customer_word, hold_minutes, longest_days, furthest_days),
    (VALUES ('2026-11-23 14:01:00+00'::timestamptz)) AS file (at);

-- ISO 4217; digits behind the point.
CREATE TABLE public.currencies (
    code text NOT NULL,
    digits smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT currencies_pkey PRIMARY KEY (code),
    CONSTRAINT currencies_code_check CHECK (code ~ '^[A-Z]{3}$'),
    CONSTRAINT currencies_digits_check CHECK (digits BETWEEN 0 AND 3)
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.currencies FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

INSERT INTO public.currencies (code, digits, created_at, updated_at)
SELECT unnest(codes), digits, at, at
FROM (VALUES
    (0, '{CLP,ISK,JPY,KRW,PYG,VND,XAF,XOF}'::text[]),
    (2, '{ARS,AUD,BBD,BOB,BRL,BSD,CAD,CHF,CNY,COP,CRC,CUP,CZK,DKK,DOP,EUR,GBP,GTQ,HKD,HNL,HTG,HUF,ILS,INR,JMD,MAD,MXN}'),
    (2, '{NIO,NOK,NZD,PAB,PEN,PLN,SEK,SGD,TRY,TTD,USD,UYU,VES,ZAR}'),
    (3, '{BHD,IQD,JOD,KWD,LYD,OMR,TND}')
) AS most (digits, codes), (VALUES ('2026-11-23 14:01:00+00'::timestamptz)) AS file (at);

-- Zones that this server knows, by their IANA names.
CREATE TABLE public.time_zones (
    name text NOT NULL,
    CONSTRAINT time_zones_pkey PRIMARY KEY (name)
);

INSERT INTO public.time_zones (name)
SELECT name FROM pg_catalog.pg_timezone_names WHERE name ~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$';

CREATE TABLE public.listings (
    id text NOT NULL DEFAULT public.new_cuid2(),
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    sitter_id text,
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    price_per_day numeric(12, 3) NOT NULL,
    currency text NOT NULL,
    time_zone text NOT NULL,
    lat double precision,
    lng double precision,
    place_name text,
    available boolean NOT NULL DEFAULT true,
    search tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('pg_catalog.english', title), 'A')
        || setweight(to_tsvector('pg_catalog.spanish', title), 'A')
        || setweight(to_tsvector('pg_catalog.english', description), 'B')
        || setweight(to_tsvector('pg_catalog.spanish', description), 'B')
    ) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listings_pkey PRIMARY KEY (id),
    CONSTRAINT listings_number_key UNIQUE (number),
    CONSTRAINT listings_id_number_key UNIQUE (id, number),
    CONSTRAINT listings_id_sitter_id_key UNIQUE (id, sitter_id),
    CONSTRAINT listings_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT listings_title_check CHECK (title ~ '\S' AND char_length(title) <= 120),
    CONSTRAINT listings_description_check CHECK (char_length(description) <= 10000),
    CONSTRAINT listings_price_per_day_check CHECK (price_per_day > 0 AND price_per_day < 1000000000),
    CONSTRAINT listings_place_check CHECK (
        (lat IS NULL) = (lng IS NULL) AND lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180
    ),
    CONSTRAINT listings_place_name_check CHECK (place_name ~ '\S' AND char_length(place_name) <= 120),
    CONSTRAINT listings_kind_fkey FOREIGN KEY (kind) REFERENCES public.listing_kinds(key) ON DELETE RESTRICT,
    CONSTRAINT listings_currency_fkey FOREIGN KEY (currency) REFERENCES public.currencies(code) ON DELETE RESTRICT,
    CONSTRAINT listings_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES public.time_zones(name) ON DELETE RESTRICT,
    CONSTRAINT listings_sitter_id_fkey FOREIGN KEY (sitter_id) REFERENCES public.users(id) ON DELETE SET NULL
);

COMMENT ON COLUMN public.listings.number IS 'Stands for the listing in ranges: bookings_days_excl.';

-- What is offered is found by these, each by itself or several together. The nearest are looked for between parallels and
-- meridians, of which the server knows how many listings lie there; of points and circles it does not.
CREATE INDEX listings_created_at_id_idx ON public.listings (created_at DESC, id DESC)
    WHERE available AND sitter_id IS NOT NULL;
CREATE INDEX listings_currency_price_per_day_id_idx ON public.listings (currency, price_per_day, id)
    WHERE available AND sitter_id IS NOT NULL;
CREATE INDEX listings_lat_idx ON public.listings (lat) WHERE available AND sitter_id IS NOT NULL;
CREATE INDEX listings_lng_idx ON public.listings (lng) WHERE available AND sitter_id IS NOT NULL;
CREATE INDEX listings_kind_created_at_id_idx ON public.listings (kind, created_at DESC, id DESC);
CREATE INDEX listings_search_idx ON public.listings USING gin (search);
CREATE INDEX listings_sitter_id_created_at_id_idx ON public.listings (sitter_id, created_at DESC, id DESC);
CREATE INDEX listings_currency_idx ON public.listings (currency);
CREATE INDEX listings_time_zone_idx ON public.listings (time_zone);

-- What a listing is called elsewhere stays; a price has no more digits than its currency.
CREATE FUNCTION public.guard_listing() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF TG_OP = 'UPDATE' AND (
        (NEW.id, NEW.number, NEW.kind) IS DISTINCT FROM (OLD.id, OLD.number, OLD.kind)
        OR (NEW.sitter_id IS DISTINCT FROM OLD.sitter_id AND NEW.sitter_id IS NOT NULL)
    ) THEN
        PERFORM public.refuse_row('listings', 'listings_kept_check',
            'A listing keeps its id, its number, its kind and whose it is.');
    END IF;
    IF EXISTS (
        SELECT FROM public.currencies WHERE code = NEW.currency AND round(NEW.price_per_day, digits) <> NEW.price_per_day
    ) THEN
        PERFORM public.refuse_row('listings', 'listings_digits_check',
            'The price has more digits behind the point than its currency.');
    END IF;
    RETURN NEW;
END
$function$;

CREATE TRIGGER guard_listing BEFORE INSERT OR UPDATE ON public.listings FOR EACH ROW
    EXECUTE FUNCTION public.guard_listing();

-- Column by column, since a row with generated columns cannot be compared as a whole.
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.listings FOR EACH ROW
    WHEN (
        (OLD.id, OLD.number, OLD.kind, OLD.sitter_id, OLD.title, OLD.description, OLD.price_per_day, OLD.currency,
            OLD.time_zone, OLD.lat, OLD.lng, OLD.place_name, OLD.available, OLD.created_at, OLD.updated_at)
        IS DISTINCT FROM
        (NEW.id, NEW.number, NEW.kind, NEW.sitter_id, NEW.title, NEW.description, NEW.price_per_day, NEW.currency,
            NEW.time_zone, NEW.lat, NEW.lng, NEW.place_name, NEW.available, NEW.created_at, NEW.updated_at)
    )
    EXECUTE FUNCTION public.set_updated_at();

-- Links; the photos themselves are elsewhere.
CREATE TABLE public.listing_photos (
    id text NOT NULL DEFAULT public.new_cuid2(),
    listing_id text NOT NULL,
    url text NOT NULL,
    caption text,
    position smallint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_photos_pkey PRIMARY KEY (id),
    CONSTRAINT listing_photos_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT listing_photos_url_check CHECK (url ~ '^https://[^\s]+$' AND char_length(url) <= 2000),
    CONSTRAINT listing_photos_caption_check CHECK (caption ~ '\S' AND char_length(caption) <= 200),
    CONSTRAINT listing_photos_position_check CHECK (position BETWEEN 0 AND 19),
    CONSTRAINT listing_photos_listing_id_position_key UNIQUE (listing_id, position) DEFERRABLE,
    CONSTRAINT listing_photos_listing_id_fkey
        FOREIGN KEY (listing_id) REFERENCES public.listings(id) ON DELETE CASCADE
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.listing_photos FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
