-- A row for every record that is new, so that all of them can be locked.
INSERT INTO records (type, key, version, deleted, updated_at)
VALUES (:type, :key, 0, 0, :now)
ON CONFLICT DO NOTHING
