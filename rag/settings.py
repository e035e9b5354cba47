"""Settings, and the only reader of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError


class Settings(BaseSettings):
    """Each field is read from ``RAG_<FIELD>`` where it isn't given; the key and base URL as the openai package does."""

    model_config = SettingsConfigDict(env_prefix="RAG_", frozen=True, extra="forbid", populate_by_name=True)

    corpus: Path = Path("seeds")
    """Folder of articles."""
    store: Path = Path(".rag")
    """Folder of the index; made by the first sync."""
    chroma_url: str | None = None
    """``http://host:port`` of a Chroma server that holds the vectors instead of ``store``."""
    embedding: str = "bundled"
    """``bundled``, or ``openai:MODEL`` for OpenAI's embeddings."""
    answerer: Literal["auto", "reader", "llm"] = "auto"
    """``auto`` is the LLM where a key or base URL is set, else the bundled reader."""
    llm_model: str = "gpt-4.1-mini"
    llm_timeout: float = Field(default=30.0, gt=0)
    """Seconds to wait for the LLM service to answer or to go on."""
    llm_retries: int = Field(default=2, ge=0)
    llm_context_tokens: int = Field(default=6000, ge=500)
    """Tokens of passages that one prompt may hold."""
    llm_max_tokens: int = Field(default=800, ge=16)
    llm_price_prompt: float | None = None
    """Price of a million prompt tokens; with ``llm_price_completion``, answers tell their cost."""
    llm_price_completion: float | None = None
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("openai_api_key", "OPENAI_API_KEY")
    )
    openai_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("openai_base_url", "OPENAI_BASE_URL")
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            problem = error.errors()[0]
            name = ".".join(str(part) for part in problem["loc"])
            raise SettingsError(
                f"setting {name}: {problem['msg']} (set it in RAG_{name.upper()} or Settings)"
            ) from None

    @property
    def uses_llm(self) -> bool:
        """Whether answers are written by an LLM."""
        if self.answerer == "auto":
            return bool(self.openai_api_key or self.openai_base_url)
        return self.answerer == "llm"
