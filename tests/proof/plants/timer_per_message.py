"""Planted bug: a message that waits for its retry holds nothing back; whatever of its key is due goes first."""

TARGET = "bus.engine.claim"


def plant(claim):
    from bus.engine import dialect

    honest = dialect._driver

    def by_time(name, kind):
        statement = honest(name, kind)
        return statement.replace("ORDER BY sequence", "ORDER BY due_at") if name == "lane_head" else statement

    def sendable(rows, now):
        return [claim._claimed(row) for row in rows if row.state in claim.SENDABLE and row.due_at <= now]

    claim._sendable = sendable
    dialect._driver = by_time
