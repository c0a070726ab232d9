"""The service's settings: environment variables that begin with EXPERT_POOL_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an installation may set; every value has a sane default."""

    model_config = SettingsConfigDict(env_prefix="EXPERT_POOL_", extra="ignore", frozen=True)

    database: str = "sqlite:///expert-pool.db"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    files: Path = Path("expert-pool-files")
    """Where files of notices and backups go."""
    workers: int = Field(default=1, ge=0, le=64)
    """Worker processes that `serve` starts beside the API; 0 where `expert-pool worker` runs elsewhere."""
    body_bytes: int = Field(default=50_000_000, ge=1)
    """The largest request body accepted."""
    request_seconds: float = Field(default=60.0, gt=0)
