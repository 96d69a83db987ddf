-- The record's newest version.
UPDATE records
SET version = :version, message = :message, posted_sequence = :posted_sequence, agency = :agency,
    deleted = :deleted, updated_at = :updated_at
WHERE type = :type AND key = :key
