-- When the head of a lane is due, or that it waits.
UPDATE lanes SET due_at = :due_at, held = :held
WHERE destination = :destination AND lane = :lane
