"""What the hub must know to reach e-Project."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class EProjectConfig(BaseModel):
    """One table in ``arus.toml``; the README beside this file explains each option."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://", examples=["http://127.0.0.1:8101"])
    client_id: str = "arus"
    client_secret: SecretStr
    timeout: float = Field(default=20.0, gt=0, le=300)
    page: int = Field(default=200, ge=1, le=1000)
    rate: float | None = Field(default=None, gt=0, description="Requests a second, of all workers; absent: no limit.")

    def at(self, path: str) -> str:
        """The address of ``path``, which begins with a slash and is percent-encoded already."""
        return self.url.rstrip("/") + path
