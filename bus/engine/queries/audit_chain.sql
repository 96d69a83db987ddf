-- The chain, a portion at a time, in its order.
SELECT position, seq, at, actor, action, detail, previous, hash
FROM audit
WHERE position > :after
ORDER BY position
LIMIT :portion
