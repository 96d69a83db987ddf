-- What was committed since and is in no chain yet; a row that was committed late may have a low number.
SELECT seq, at, actor, action, detail
FROM audit
WHERE position IS NULL
ORDER BY seq
LIMIT :portion
