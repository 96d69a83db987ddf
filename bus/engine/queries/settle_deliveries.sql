-- What became of an attempt.
UPDATE deliveries
SET state = :state, holds = :holds, retries = :retries, due_at = :due_at, parked = :parked, reason = :reason,
    token = :token, settled_at = :settled_at, alone = 0
WHERE seq = :seq
