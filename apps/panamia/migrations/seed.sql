-- Rows that the rehearsal puts into the tables: each statement as soon as it gets through, so one file serves the
-- whole history. People and texts are invented, and as unruly as those of the real site.

INSERT INTO users (id, email, screenname, name, role, account_type, alternate_emails, affiliate, notification_preferences)
VALUES
    ('u00000000000000000000001', 'Ana"María''s <mail>@Example.org', 'Ana-Ñ_1', E'Ana\tMaría "la jefa" O''Brien 🌴', 'user',
        'personal', '{"a,b@example.org","{x}@example.org"}', '{"code": "CP\"0''1", "points": 10}', '{"systemAnnouncements": false}'),
    ('u00000000000000000000002', 'beto@example.org', NULL, NULL, 'admin', 'hybrid', '{}', NULL, NULL),
    ('u00000000000000000000003', E'مريم@example.org', 'MARYAM', repeat('x', 20000), 'user', 'other', '{}', '{}', '{}');

INSERT INTO accounts (id, user_id, type, provider, provider_account_id, expires_at)
VALUES
    ('k00000000000000000000001', 'u00000000000000000000001', 'oauth', 'google', '1''; DROP TABLE users; --', 2147483647),
    ('k00000000000000000000002', 'u00000000000000000000001', 'oauth', 'Google', '1', NULL);

INSERT INTO sessions (session_token, user_id, expires)
VALUES ('s "1"', 'u00000000000000000000001', '2099-12-31 23:59:59.999999+00'), ('S "1"', 'u00000000000000000000002', '1969-12-31 00:00:00+00');

INSERT INTO verification_tokens (identifier, token, expires)
VALUES ('beto@example.org', 't1', '2099-01-01 00:00:00+00'), ('beto@example.org', 'T1', '1969-01-01 00:00:00+00');

INSERT INTO articles (id, slug, title, content, article_type, tags, author_id, co_authors, reviewed_by, status, published_at)
VALUES
    ('r00000000000000000000001', 'calle-ocho', 'Calle "Ocho" – 8️⃣', '', 'business_update', '{"a,b","O''Brien"}', 'u00000000000000000000001',
        '[{"userId": "u00000000000000000000002", "status": "accepted"}]', '{"userId": "u00000000000000000000003"}', 'published', now()),
    ('r00000000000000000000002', 'Calle-Ocho', '', repeat('ñ', 50000), 'community_commentary', '{}', NULL, '[]', NULL, 'removed', NULL);

INSERT INTO articles (id, slug, title, content, article_type, author_id, in_reply_to)
VALUES ('r00000000000000000000003', 're-calle-ocho', 'Re', '…', 'community_commentary', 'u00000000000000000000002', 'r00000000000000000000001');

INSERT INTO notifications (id, type, actor, target, article_id, context, object_type, message, read, expires_at)
VALUES
    ('n00000000000000000000001', 'Invite', 'u00000000000000000000001', 'u00000000000000000000002', 'r00000000000000000000001',
        'coauthor', 'article', E'¿Vienes?\n"sí"', false, NULL),
    ('n00000000000000000000002', 'Create', 'u00000000000000000000003', 'u00000000000000000000003', NULL, 'message', NULL, NULL, true, '9999-12-31 23:59:59.999999+00');

INSERT INTO notification_mails (notification_id, tries, failure, given_up_at)
VALUES ('n00000000000000000000001', 0, NULL, NULL), ('n00000000000000000000002', 12, 'SMTP "550" ñ', now());

INSERT INTO profiles (id, user_id, email, name, slug, pronouns, address_lat, address_lng, categories, locations, linked_profiles)
VALUES
    ('p00000000000000000000001', 'u00000000000000000000001', 'Ana@example.org', 'Ana', 'ana', '{she/her,they/them}', 25.7616798, -80.1917902,
        '{"Venue": true, "clothing": true}', '[{"name": "La \"Esquina\"", "lat": "25.7"}]', '["p00000000000000000000002"]'),
    ('p00000000000000000000002', NULL, 'nobody@example.org', NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL);

INSERT INTO profile_follows (follower_id, profile_id)
VALUES ('u00000000000000000000001', 'p00000000000000000000002'), ('u00000000000000000000002', 'p00000000000000000000002');

INSERT INTO user_follows (id, follower_id, following_id, follower_username, following_username)
VALUES ('f00000000000000000z00001', 'u00000000000000000000001', 'u00000000000000000000002', 'Ana "1"', NULL);

INSERT INTO user_lists (id, owner_id, name, is_public)
VALUES ('l00000000000000000000001', 'u00000000000000000000001', E'Mis ''favoritos''\\', true), ('l00000000000000000000002', 'u00000000000000000000002', '', false);

INSERT INTO user_list_members (list_id, profile_id)
VALUES ('l00000000000000000000001', 'p00000000000000000000001'), ('l00000000000000000000001', 'p00000000000000000000002');

INSERT INTO user_list_members (list_id, user_id) VALUES ('l00000000000000000000001', 'u00000000000000000000003');

INSERT INTO mentor_sessions (id, mentor_email, mentee_email, mentor_user_id, session_id, scheduled_at, topic, session_type, status)
VALUES
    ('m00000000000000000000001', 'ana@example.org', 'beto@example.org', 'u00000000000000000000001', 'V1StGXR8_Z5jdHi6', now(), 'Cómo "empezar"', 'artistic', 'pending'),
    ('m00000000000000000000002', 'gone@example.org', 'gone@example.org', NULL, 'v1stgxr8_z5jdhi6', '1969-12-31 00:00:00+00', '', NULL, 'cancelled');

INSERT INTO intake_forms (id, email, form_type, name, complete, form_data)
VALUES
    ('i00000000000000000000001', 'ana@example.org', 'art', 'Ana', true, '{"mediums": ["óleo", "\"tinta\""]}'),
    ('i00000000000000000000002', 'ana@example.org', 'food', NULL, false, '{}');

INSERT INTO interactions (id, email, action, points, metadata)
VALUES ('j00000000000000000000001', 'ana@example.org', 'user_signup', 10, '{"a": null}'), ('j00000000000000000000002', 'ana@example.org', NULL, NULL, NULL);

INSERT INTO screenname_history (id, screenname, user_id)
VALUES ('h00000000000000000000001', 'ana_vieja', 'u00000000000000000000001');

INSERT INTO contact_submissions (id, name, email, message)
VALUES ('g00000000000000000000001', 'O''Brien', 'x', NULL), ('g00000000000000000000002', '', '', repeat('a', 9000));

INSERT INTO newsletter_signups (id, email, name)
VALUES ('w00000000000000000000001', 'ana@example.org', NULL), ('w00000000000000000000002', 'Ana@example.org', 'Ana');

INSERT INTO newsletters (id, email, ig_username) VALUES ('q00000000000000000000001', 'ana@example.org', '@ana');

INSERT INTO brevo_contacts (id, email, brevo_id, list_ids) VALUES ('v00000000000000000000001', 'ana@example.org', 2147483647, '{1,2}');

INSERT INTO email_migrations (id, user_id, old_email, new_email, migration_token, expires_at)
VALUES ('o00000000000000000000001', 'u00000000000000000000001', 'a@example.org', 'b@example.org', 'tok "1"', now());

INSERT INTO oauth_verifications (id, email, provider, provider_account_id, verification_token, expires_at, oauth_profile)
VALUES ('x00000000000000000000001', 'a@example.org', 'mastodon', '1', 'tok', now(), '{"name": "A \"B\""}');

INSERT INTO images (id, image, user_id)
VALUES ('y00000000000000000000001', 'https://example.org/ñ.png?a=''b''', 'u00000000000000000000001'), ('y00000000000000000000002', '', NULL);

INSERT INTO events (id, primary_profile_id, name, starts_at, address, linked_profiles)
VALUES ('z00000000000000000000001', 'p00000000000000000000001', 'Feria', '1969-07-20 20:17:40+00', '{"city": "Miami"}', '[]');

INSERT INTO links (id, label, url) VALUES ('z00000000000000000000002', 'Tienda', 'https://example.org/?q="1"');

INSERT INTO podcasts (id, label, url, category, sort_order) VALUES ('z00000000000000000000003', '1', 'https://example.org', 'arte', '010');

INSERT INTO social_actors (id, username, domain, profile_id, uri, inbox_url, outbox_url, followers_url, following_url, public_key)
VALUES
    ('t00000000000000000000001', 'ana', 'example.org', 'p00000000000000000000001', 'https://example.org/u/ana', 'i', 'o', 'f', 'g', 'key'),
    ('t00000000000000000000002', 'Ana', 'example.org', NULL, 'https://example.org/u/Ana', 'i', 'o', 'f', 'g', 'key');

INSERT INTO social_statuses (id, uri, actor_id, article_id, content, recipient_to, location)
VALUES ('t00000000000000000000003', 'https://example.org/s/1', 't00000000000000000000001', 'r00000000000000000000001', '<p>¡Hola!</p>', '["as:Public"]', '{"type": "Place"}');

INSERT INTO social_statuses (id, uri, actor_id, in_reply_to_id)
VALUES ('t00000000000000000000004', 'https://example.org/s/2', 't00000000000000000000002', 't00000000000000000000003');

INSERT INTO social_follows (id, actor_id, target_actor_id, status)
VALUES ('t00000000000000000000005', 't00000000000000000000001', 't00000000000000000000002', 'accepted');

INSERT INTO social_likes (id, actor_id, status_id) VALUES ('t00000000000000000000006', 't00000000000000000000002', 't00000000000000000000003');

INSERT INTO social_attachments (id, status_id, type, url, peaks)
VALUES ('t00000000000000000000007', 't00000000000000000000003', 'Audio', 'https://example.org/a.mp3', '[0, 1.5, -1]');

INSERT INTO social_tags (id, status_id, type, name) VALUES ('t00000000000000000000008', 't00000000000000000000003', 'Hashtag', '#PanaMIA "1"');

INSERT INTO article_announcements (id, article_id, author_id, actor_id, content, status_id)
VALUES ('t00000000000000000000009', 'r00000000000000000000001', 'u00000000000000000000001', 't00000000000000000000001', 'Nuevo', 't00000000000000000000003');

INSERT INTO link_requests (subject, requested_at, expires)
VALUES ('a "subject"', '{2026-11-23 04:45:00+00,2026-11-23 04:46:00.123456+00}', '2099-12-31 23:59:59.999999+00');
