"""Planted bug: a claimed delivery is written down as delivered before it is sent."""

TARGET = "bus.engine.claim"


def plant(claim):
    from sqlalchemy import bindparam, update

    def mark(connection, lanes):
        rows = [{"the_seq": one.seq} for lane in lanes for one in lane.deliveries]
        if rows:
            columns = claim.deliveries.c
            statement = update(claim.deliveries).where(columns.seq == bindparam("the_seq"))
            connection.execute(statement.values(state="delivered", holds=0, attempts=columns.attempts + 1), rows)

    claim._mark = mark
