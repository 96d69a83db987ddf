-- The first deliveries of one leased lane that hold, in order, with their messages.
SELECT d.seq, d.id, d.route, d.sequence, d.state, d.attempts, d.retries, d.due_at, d.token, d.alone, d.accepted_at,
       m.id AS message_id, m.source, m.type, m.subject, m.op, m.time, m.time_text, m.agency, m.partition, m.traceparent, m.data,
       m.seq AS message, m.version, s.delivery IS NOT NULL AS started
FROM deliveries d
JOIN messages m ON m.seq = d.message
LEFT JOIN starts s ON s.delivery = d.seq
WHERE d.destination = :destination AND d.lane = :lane AND d.holds = 1
ORDER BY d.sequence
LIMIT :depth
