-- Deliveries as they begin.
INSERT INTO deliveries (
  id, message, destination, route, type, subject, lane, sequence, state, holds, attempts, retries, due_at, parked, waits, waits_at, reason, alone, deaths, replay_of, created_at, accepted_at, settled_at
)
VALUES (
  :id, :message, :destination, :route, :type, :subject, :lane, :sequence, :state, :holds, :attempts, :retries, :due_at, :parked, :waits, :waits_at, :reason, :alone, :deaths, :replay_of, :created_at, :accepted_at, :settled_at
)
