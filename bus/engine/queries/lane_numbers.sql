-- Reserve numbers in a lane; the row stays locked to the end of the transaction.
INSERT INTO lane_keys (lane, sequence)
VALUES (:lane, :count)
ON CONFLICT (lane) DO UPDATE SET sequence = lane_keys.sequence + excluded.sequence
