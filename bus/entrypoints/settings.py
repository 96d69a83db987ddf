"""Settings: environment ``ARUS_*`` first, then ``arus.toml`` in the working directory, then these defaults."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from connectors.e_procurement.config import EProcurementConfig
from connectors.e_project.config import EProjectConfig

LEAVE_SECONDS = 5.0
"""Twice the interval at which the proxy of ``docker-compose.yml`` asks, and a second."""


class Settings(BaseSettings):
    """Nested settings are written ``ARUS_E_PROJECT__URL`` in the environment, as tables in ``arus.toml``."""

    model_config = SettingsConfigDict(
        env_prefix="ARUS_", env_nested_delimiter="__", toml_file="arus.toml", extra="forbid", frozen=True
    )

    home: Path = Field(default=Path("var"), description="Holds the embedded database and the drop folders.")
    database_url: str | None = Field(
        default=None, description="PostgreSQL, such as postgresql://arus@db/arus; absent: SQLite in home."
    )
    broker_url: SecretStr | None = Field(
        default=None, description="RabbitMQ, such as amqp://arus@rabbitmq//; set with database_url: distributed mode."
    )
    host: str = Field(default="127.0.0.1", description="Address that the front listens on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port of the front; 0 takes a free one.")
    drop: Path | None = Field(default=None, description="Place of the drop folders; absent: home/drop.")
    drop_settle_seconds: float = Field(
        default=2.0, ge=0, le=3600, description="A dropped file is complete when it has not changed for so long."
    )
    production: bool = Field(default=False, description="Refuse private addresses as targets unless allowed.")
    outbound_allow: tuple[str, ...] = Field(default=(), description="Hosts and networks allowed in production.")
    lease_seconds: float = Field(
        default=60.0, ge=2, le=3600, description="How long a claimed lane is a worker's; attempts take half of it."
    )
    dead_seconds: float = Field(
        default=15.0, ge=4, le=3600, description="Distributed: a worker or sweeper silent for so long has died."
    )
    leave_seconds: float | None = Field(
        default=None,
        ge=0,
        le=300,
        description="How long a front that is told to end says so on /readyz and still takes requests, longer than its "
        "proxy takes to see it; absent: 5 in the distributed mode, else 0.",
    )
    poll_seconds: float = Field(default=5.0, ge=0.05, le=86400, description="Seconds between two reads of a feed.")
    hold_share: float = Field(
        default=0.10, ge=0, le=1, description="A snapshot that deletes more than this share of its scope is held …"
    )
    hold_rows: int = Field(default=20, ge=0, description="… if it also deletes more rows than this.")
    max_body: int = Field(default=10 * 2**20, ge=1024, description="Bytes of one posted event or batch at most.")
    max_bulk: int = Field(default=64 * 2**20, ge=1024, description="Bytes of one NDJSON or intake body at most.")
    max_waiting: int = Field(
        default=4096, ge=1, description="Inputs that may wait for the writer before the front answers 429."
    )
    max_backlog: int = Field(
        default=1_000_000,
        ge=1,
        description="Deliveries on their way to one destination before the front answers 429 to who posts for it.",
    )
    subscription_rate: float | None = Field(
        default=None,
        gt=0,
        description="Requests a second to one subscription, of all workers together; absent: no limit.",
    )
    e_project: EProjectConfig | None = Field(default=None, description="How e-Project is reached; absent: not yet.")
    e_procurement: EProcurementConfig | None = Field(
        default=None, description="How e-Procurement is reached; absent: not yet."
    )

    @field_validator("broker_url")
    @classmethod
    def _broker_beside_a_server(cls, broker: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """A front with a broker has no engine beside it: in SQLite, what it accepts would be carried by nobody."""
        if broker is not None and not str(info.data.get("database_url") or "").startswith("postgresql"):
            raise ValueError(
                "ARUS_BROKER_URL needs a PostgreSQL in ARUS_DATABASE_URL; without a broker neither is needed"
            )
        return broker

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - settings come from two places alone
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @classmethod
    def load(cls) -> Settings:
        return cls()

    @property
    def url(self) -> str:
        """Where the store is."""
        return self.database_url or f"sqlite:///{(self.home / 'arus.db').absolute()}"

    @property
    def distributed(self) -> bool:
        """Any number of API processes and Celery workers, on RabbitMQ and PostgreSQL."""
        return self.broker_url is not None

    @property
    def leaving(self) -> float:
        """Seconds between a front's saying that it leaves and its closing the door."""
        return self.leave_seconds if self.leave_seconds is not None else LEAVE_SECONDS * self.distributed

    def drop_folder(self, system: str, feed: str) -> Path:
        return (self.drop or self.home / "drop") / system / feed
