-- The record as the destination has it now.
INSERT INTO replicas (destination, type, key, message, version, sequence, deleted, delivered_at)
VALUES (:destination, :type, :key, :message, :version, :sequence, :deleted, :delivered_at)
ON CONFLICT (destination, type, key) DO UPDATE
SET message = excluded.message, version = excluded.version, sequence = excluded.sequence,
    deleted = excluded.deleted, delivered_at = excluded.delivered_at
