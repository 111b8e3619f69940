-- Rows that the rehearsal puts into the tables, on top of those of the main service's seed.sql, whose people they are.
-- Days count from today, for none is booked in the past; what was long ago is written past the triggers.

INSERT INTO listings (id, kind, sitter_id, title, description, price_per_day, currency, time_zone, lat, lng, place_name)
VALUES
    ('g00000000000000000000001', 'pet-sitting', 'u00000000000000000000001', 'Perros "felices" & O''Gatos 🐕', E'¿Gatos?\n¡Sí!',
        25.5, 'USD', 'America/New_York', 25.7617, -80.1918, 'Calle "Ocho"'),
    ('g00000000000000000000002', 'rental', 'u00000000000000000000002', 'Casa; DROP TABLE bookings; --', repeat('ñ', 10000),
        12000, 'JPY', 'Pacific/Kiritimati', 90, 180, NULL),
    ('g00000000000000000000003', 'rental', 'u00000000000000000000003', 'Shed', '', 0.001, 'KWD', 'UTC', -90, -180, NULL);

INSERT INTO listings (id, kind, sitter_id, title, price_per_day, currency, time_zone, available)
VALUES ('g00000000000000000000004', 'pet-sitting', 'u00000000000000000000001', 'Whose sitter is gone', 999999999.99, 'EUR', 'Etc/GMT+12', false);

UPDATE listings SET sitter_id = NULL WHERE id = 'g00000000000000000000004';

INSERT INTO listing_photos (id, listing_id, url, caption, position)
VALUES
    ('h00000000000000000000001', 'g00000000000000000000001', 'https://example.org/"1"?q=ñ', 'Perro "1"', 0),
    ('h00000000000000000000002', 'g00000000000000000000001', 'https://example.org/2', NULL, 19);

INSERT INTO bookings (id, listing_id, owner_id, days, note)
VALUES
    ('j00000000000000000000001', 'g00000000000000000000001', 'u00000000000000000000002', daterange(current_date + 10, current_date + 13), E'¿Vienes?\n"sí"'),
    ('j00000000000000000000002', 'g00000000000000000000001', 'u00000000000000000000003', daterange(current_date + 13, current_date + 14), NULL),
    ('j00000000000000000000003', 'g00000000000000000000001', 'u00000000000000000000003', daterange(current_date + 20, current_date + 30), NULL),
    ('j00000000000000000000004', 'g00000000000000000000002', 'u00000000000000000000001', daterange(current_date + 300, current_date + 600), NULL);

INSERT INTO bookings (id, listing_id, status, days, note)
VALUES ('j00000000000000000000005', 'g00000000000000000000001', 'blocked', daterange(current_date + 14, current_date + 20), 'Navidad');

UPDATE bookings SET status = 'confirmed', status_by = 'u00000000000000000000001' WHERE id = 'j00000000000000000000001';

UPDATE bookings SET status = 'declined', status_by = 'u00000000000000000000001', status_why = 'No "puedo" – lo siento'
WHERE id = 'j00000000000000000000002';

UPDATE bookings SET status = 'cancelled', status_by = 'u00000000000000000000003', status_why = '1'' OR 1=1'
WHERE id = 'j00000000000000000000003';

DO $$
BEGIN
    SET LOCAL session_replication_role = replica;
    INSERT INTO bookings (id, listing_id, listing_number, sitter_id, owner_id, days, status, price_per_day, currency,
        status_at, status_as, status_by)
    SELECT past.id, listing.id, number, sitter_id, owner, days, 'completed', 1.001, 'KWD', now(), 'clock', NULL
    FROM listings AS listing, (VALUES
        ('j00000000000000000000006', 'u00000000000000000000001', '[2001-02-03,2001-02-04)'::daterange),
        ('j00000000000000000000007', NULL, '[2001-02-04,2002-02-04)')
    ) AS past (id, owner, days)
    WHERE listing.id = 'g00000000000000000000003';
    SET LOCAL session_replication_role = origin;
END
$$;

INSERT INTO listing_reviews (id, booking_id, listing_id, author_id, rating, text)
VALUES ('k00000000000000000000001', 'j00000000000000000000006', 'g00000000000000000000003', 'u00000000000000000000001', 5, E'¡Qué "shed"!\n🐕');

DO $$
BEGIN
    SET LOCAL session_replication_role = replica;
    INSERT INTO listing_reviews (id, booking_id, listing_id, rating)
    VALUES ('k00000000000000000000002', 'j00000000000000000000007', 'g00000000000000000000003', 1);
    SET LOCAL session_replication_role = origin;
END
$$;

INSERT INTO calendar_feeds (listing_id, token_hash) VALUES ('g00000000000000000000001', repeat('0123456789abcdef', 4));

INSERT INTO notifications (id, type, actor, target, context, object_type, object_title, object_url)
VALUES
    ('n00000000000000000000091', 'Invite', 'u00000000000000000000002', 'u00000000000000000000001', 'booking', 'booking', 'Perros "felices"', 'https://pets.example.org/bookings/j00000000000000000000001'),
    ('n00000000000000000000092', 'Accept', 'u00000000000000000000001', 'u00000000000000000000002', 'booking', 'booking', NULL, NULL);

INSERT INTO booking_notifications (notification_id, booking_id)
VALUES ('n00000000000000000000091', 'j00000000000000000000001'), ('n00000000000000000000092', 'j00000000000000000000001');
