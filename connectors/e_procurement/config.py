"""What the hub must know to reach e-Procurement's SOAP service."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class EProcurementConfig(BaseModel):
    """One table in ``arus.toml``; the README beside this file explains each option."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://", examples=["http://127.0.0.1:8102/soap"])
    username: str = "arus"
    password: SecretStr
    timeout: float = Field(default=30.0, gt=0, le=300)
    page: int = Field(default=200, ge=1, le=1000)
    rate: float | None = Field(default=None, gt=0, description="Requests a second, of all workers; absent: no limit.")
