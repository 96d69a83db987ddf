"""Planted bug: that an id is new is looked up before the insert, and no unique index backs the look."""

TARGET = "bus.engine.database"


def plant(database):
    honest = database.upgrade

    def upgrade(url):
        from sqlalchemy import create_engine, text

        honest(url)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE messages DROP CONSTRAINT IF EXISTS uq_messages_source_id"))
        engine.dispose()

    database.upgrade = upgrade
