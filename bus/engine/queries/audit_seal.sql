-- A row's place in the chain.
UPDATE audit
SET position = :position, previous = :previous, hash = :hash
WHERE seq = :seq
