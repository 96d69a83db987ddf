-- A delivery was added at a lane's end. A lane that is not idle keeps its head.
INSERT INTO lanes (destination, lane, due_at, held, fence)
VALUES (:destination, :lane, :due_at, :held, 0)
ON CONFLICT (destination, lane) DO UPDATE
SET due_at = CASE WHEN lanes.due_at IS NULL AND lanes.held = 0 THEN excluded.due_at ELSE lanes.due_at END,
    held = CASE WHEN lanes.due_at IS NULL AND lanes.held = 0 THEN excluded.held ELSE lanes.held END
