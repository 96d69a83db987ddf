-- Attempts are only appended.
INSERT INTO attempts (delivery, number, started_at, ended_at, outcome, status, at, detail, worker, mapping)
VALUES (:delivery, :number, :started_at, :ended_at, :outcome, :status, :at, :detail, :worker, :mapping)
