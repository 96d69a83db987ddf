-- Messages are written once and never updated.
INSERT INTO messages (
  seq, source, id, type, subject, agency, feed, op, time, time_text, accepted_at, posted_sequence, partition, lane, sequence, version, content, data, raw, traceparent
)
VALUES (
  :seq, :source, :id, :type, :subject, :agency, :feed, :op, :time, :time_text, :accepted_at, :posted_sequence, :partition, :lane, :sequence, :version, :content, :data, :raw, :traceparent
)
