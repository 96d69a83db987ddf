-- Add to a counter.
INSERT INTO counters (name, labels, value)
VALUES (:name, :labels, :value)
ON CONFLICT (name, labels) DO UPDATE SET value = counters.value + excluded.value
