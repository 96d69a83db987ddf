-- Tell what was done, in the transaction that does it.
INSERT INTO audit (at, actor, action, detail)
VALUES (:at, :actor, :action, :detail)
