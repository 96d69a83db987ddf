-- As lane_refresh, and the lane is nobody's: its fence ends with its lease, so that a report given in twice (because
-- nobody knew whether its transaction was committed) counts once.
UPDATE lanes SET due_at = :due_at, held = :held, lease_until = NULL, owner = NULL, fence = fence + 1
WHERE destination = :destination AND lane = :lane
