"""What a failed call of an LLM means: one line for the person, and whether trying again makes sense."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from rag.errors import LLMAuthError, LLMContextError, LLMError

LONGEST_WAIT = 10.0
"""Seconds to wait, at most, before a retry: a person is waiting, and the reader could answer instead."""

_KEY = re.compile(r"\b(?:sk|pk|rk)-[\w*.-]{4,}|(?<=Bearer )\S+")
# As OpenAI, llama.cpp, vLLM, Ollama, Mistral, LM Studio and TGI say it.
_TOO_LONG = re.compile(
    r"context.?(?:length|size|window)|too many tokens|prompt is too long|maximum.{0,20}tokens|tokens.{0,40}must be <=",
    re.I,
)
# What openai and LlamaIndex raise over a reply that is no JSON (a ValueError), or JSON of another shape.
_WRONG_SHAPE = (ValueError, TypeError, AttributeError, IndexError)


@dataclass(frozen=True)
class Service:
    """What is known of the service behind an LLM when it fails."""

    name: str
    """The model's name."""
    host: str
    timeout: float
    """Seconds."""
    ours: bool
    """Whether it is reached through the openai package; an LLM that was given brings errors of its own."""
    key: str = field(repr=False)

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What a call may raise that means the service failed.

        While it streams, the openai package lets httpx's errors and JSON's through. The SDKs behind other LlamaIndex
        LLMs have no error class in common, so for those it is every Exception: the reader can still answer.
        """
        if not self.ours:
            return (Exception,)
        import httpx
        import openai

        return (openai.OpenAIError, httpx.HTTPError, httpx.InvalidURL, *_WRONG_SHAPE)

    def explain(self, error: Exception) -> LLMError:
        """The failure in one line: what is wrong, and what to do."""
        import httpx
        import openai

        status = getattr(error, "status_code", None)
        if status in (401, 403):
            return LLMAuthError(f"the LLM service refused the key ({status}): check OPENAI_API_KEY")
        too_long = _TOO_LONG.search(f"{getattr(error, 'code', '')} {error}") and status in (None, 400, 422)
        if too_long or status == 413:
            return LLMContextError(f"the prompt is too long for {self.name}: lower RAG_LLM_CONTEXT_TOKENS")
        if isinstance(status, int):
            hint = {404: ": check RAG_LLM_MODEL and OPENAI_BASE_URL", 429: ": too many requests, or no credit left"}
            return LLMError(f"the LLM service answered {status}{hint.get(status, '')} ({self.scrub(error)})")
        if _is_timeout(error):
            seconds = f"{self.timeout:g} s"
            return LLMError(f"the LLM service said nothing for {seconds}: raise RAG_LLM_TIMEOUT if it is just slow")
        if isinstance(error, openai.APIConnectionError):
            return LLMError(f"the LLM service at {self.host} can't be reached: check OPENAI_BASE_URL and the network")
        if isinstance(error, httpx.TransportError):  # the openai package wraps these until the reply begins
            return LLMError("the LLM's reply broke off")
        if isinstance(error, _WRONG_SHAPE) and self.ours:
            return LLMError(f"the LLM service at {self.host} sent something that isn't a chat completion")
        return LLMError(f"the LLM failed: {type(error).__name__}: {self.scrub(error)}")

    def scrub(self, error: Exception) -> str:
        """What an error says, in one short line without keys."""
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        text = " ".join(self._without_keys(str(said or error)).split())
        return text if len(text) <= 200 else f"{text[:199]}…"

    def holds_key(self, error: Exception) -> bool:
        """Whether an error's text has the key in use, or anything that looks like one."""
        return self._without_keys(str(error)) != str(error)

    def _without_keys(self, text: str) -> str:
        return _KEY.sub("***", text.replace(self.key, "***") if self.key else text)


def pause(error: Exception, attempt: int, retries: int) -> float | None:
    """Seconds to wait before trying again, or None where that is pointless."""
    if attempt >= retries or getattr(error, "code", None) == "insufficient_quota":
        return None
    status = getattr(error, "status_code", None)
    if status == 429 or (isinstance(status, int) and status >= 500):
        wait = _retry_after(error, attempt)
        return wait if wait <= LONGEST_WAIT else None
    # A timeout isn't tried again: the wait was long enough.
    return _backoff(attempt) if _is_connection_error(error) and not _is_timeout(error) else None


def _is_connection_error(error: Exception) -> bool:
    """Of openai's and httpx's errors; other SDKs' aren't known, and bring their own retries."""
    import httpx
    import openai

    return isinstance(error, openai.APIConnectionError | httpx.TransportError)


def _is_timeout(error: Exception) -> bool:
    import httpx
    import openai

    return isinstance(error, openai.APITimeoutError | httpx.TimeoutException)


def _backoff(attempt: int) -> float:
    return min(0.5 * 2**attempt, LONGEST_WAIT)


def _retry_after(error: Exception, attempt: int) -> float:
    """The seconds that a Retry-After header asks for, as a number or as a date; without one, a growing pause."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date either; or one without a time zone
        return _backoff(attempt)
