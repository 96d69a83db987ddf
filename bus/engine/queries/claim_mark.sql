-- What a worker has claimed; the attempt counts from here.
UPDATE deliveries SET state = 'delivering', attempts = attempts + 1
WHERE seq = :seq
