-- As lane_refresh, and the lane is nobody's.
UPDATE lanes SET due_at = :due_at, held = :held, lease_until = NULL, owner = NULL
WHERE destination = :destination AND lane = :lane
