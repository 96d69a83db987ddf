-- The delivery that a lane's later ones wait for: the first that holds.
SELECT state, due_at
FROM deliveries
WHERE destination = :destination AND lane = :lane AND holds = 1
ORDER BY sequence
LIMIT 1
