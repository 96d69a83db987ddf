-- Lease the lanes whose heads are due, oldest first. A higher fence shuts out whoever held the lane before.
UPDATE lanes
SET lease_until = :until, owner = :owner, fence = fence + 1
WHERE destination = :destination
  AND lane IN (
    SELECT lane FROM lanes
    WHERE destination = :destination
      AND due_at IS NOT NULL
      AND due_at <= :now
      AND (lease_until IS NULL OR lease_until <= :now)
    ORDER BY due_at
    LIMIT :lanes
    /*pg FOR UPDATE SKIP LOCKED */
  )
RETURNING lane, fence
