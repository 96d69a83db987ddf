-- Reserve numbers in a lane; the row stays locked to the end of the transaction. A restore raises the floor of lanes.
INSERT INTO lane_keys (lane, sequence)
VALUES (:lane, :count + coalesce((SELECT value FROM controls WHERE name = 'sequence-floor'), 0))
ON CONFLICT (lane) DO UPDATE SET sequence = lane_keys.sequence + :count
