"""Messages -> text, streamed: the door to LlamaIndex's LLMs and, through them, to OpenAI and compatible servers.

What is *not* done here: nothing is checked, and no answer is given in the LLM's place when it fails; an ``LLMError``
says in one line what went wrong, and the caller goes on without an LLM.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import LLMAuthError, LLMError
from rag.llm_faults import Service, pause
from rag.types import Usage

if TYPE_CHECKING:
    import tiktoken

    from rag.settings import Settings

Messages = Sequence[tuple[str, str]]
"""(role, text) pairs; the roles are ``system``, ``user`` and ``assistant``."""

OPENAI_URL = "https://api.openai.com/v1"

_BUNDLED_ENCODINGS = ("o200k_base", "cl100k_base")


class LLM:
    """An LLM: the service that the settings name, or any LlamaIndex LLM given as ``model``.

    ``settings`` gives ``llm_model``, ``llm_timeout``, ``llm_retries``, ``llm_max_tokens``, the prices, the key and the
    base URL. A ``model`` brings its own model name, key, timeout and retries; only the prices are still read.
    Nothing is imported or connected before the first call. Safe to use from several threads.
    """

    def __init__(self, settings: Settings, model: Any = None) -> None:
        self._settings = settings
        self._given = model
        self._streams_usage = model is None
        self._retries = 0 if model is not None else settings.llm_retries

    def __repr__(self) -> str:
        return f"LLM({self.name!r})"

    @property
    def name(self) -> str:
        """The model's name."""
        if self._given is None:
            return self._settings.llm_model
        names = (getattr(self._given, field, None) for field in ("model", "model_name"))
        return next((name for name in names if isinstance(name, str) and name), type(self._given).__name__)

    def stream(self, messages: Messages) -> Reply:
        """The reply, piece by piece, as an iterator of texts; its ``usage`` is known when it ends.

        Raises ``LLMError`` (``LLMAuthError`` for a refused key) from the iterator: before the first text when the
        service can't be reached or refuses, after it when the reply breaks off.
        """
        return Reply(self, messages)

    def complete(self, messages: Messages) -> str:
        """The whole reply. Raises as ``stream`` does."""
        return "".join(self.stream(messages))

    def warm_up(self) -> None:
        """Imports and builds what the first call needs (a second or two); connects to nothing."""
        _ = self._model
        self.count_tokens("")

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` by OpenAI's encoding: exact for its models, near enough for others'."""
        return len(self._encoding.encode(text, disallowed_special=()))

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        # tiktoken downloads its encodings unless it finds them here; LlamaIndex's wheel carries these two.
        spec = find_spec("llama_index.core")
        if spec is not None and spec.origin is not None:
            bundled = Path(spec.origin).parent / "_static" / "tiktoken_cache"
            os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(bundled))
        import tiktoken

        try:
            encoding = tiktoken.encoding_name_for_model(self.name)
        except KeyError:
            encoding = _BUNDLED_ENCODINGS[0]
        return tiktoken.get_encoding(encoding if encoding in _BUNDLED_ENCODINGS else _BUNDLED_ENCODINGS[0])

    @cached_property
    def _model(self) -> Any:
        if self._given is not None:
            return self._given
        settings = self._settings
        if settings.openai_api_key is None and settings.openai_base_url is None:
            raise LLMAuthError("no key for the LLM: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own")
        from llama_index.llms.openai_like import OpenAILike

        # For OpenAI's own models too: LlamaIndex's OpenAI class raises for every model newer than itself.
        try:
            return OpenAILike(
                model=settings.llm_model,
                # Both are given even where unset: LlamaIndex would read variables that the openai package doesn't.
                api_key=self._key or "no-key-needed",
                api_base=settings.openai_base_url or OPENAI_URL,
                temperature=0.0,
                max_tokens=settings.llm_max_tokens,
                timeout=settings.llm_timeout,
                max_retries=0,  # retried in Reply, where Retry-After is bounded and a person's patience counts
                is_chat_model=True,
            )
        except ValueError as error:
            raise LLMError(f"{self.name} can't be used: {self._service.scrub(error)} (RAG_LLM_MODEL)") from None

    @cached_property
    def _service(self) -> Service:
        # Host and port: the whole URL might hold a password.
        host = urlsplit(self._settings.openai_base_url or OPENAI_URL).netloc.rpartition("@")[2]
        return Service(self.name, host, self._settings.llm_timeout, ours=self._given is None, key=self._key)

    @property
    def _announces_end(self) -> bool:
        """Only the OpenAI protocol is known to; of other LLMs' streams the end itself has to do."""
        return self._given is None

    @property
    def _key(self) -> str:
        secret = self._settings.openai_api_key
        return secret.get_secret_value() if secret else ""

    def _responses(self, messages: Messages) -> Iterator[Any]:
        """One attempt: LlamaIndex's ChatResponses."""
        from llama_index.core.base.llms.types import ChatMessage

        chat = [ChatMessage(role=role, content=text) for role, text in messages]
        options = {"stream_options": {"include_usage": True}} if self._streams_usage else {}
        try:
            yield from self._model.stream_chat(chat, **options)
        except NotImplementedError:  # an LLM that can't stream
            yield self._model.chat(chat)

    def _pause(self, error: Exception, attempt: int) -> float | None:
        """Seconds to wait before trying again, or None where that is pointless."""
        if getattr(error, "status_code", None) in (400, 422) and self._streams_usage and "stream_options" in str(error):
            self._streams_usage = False
            return 0.0
        return pause(error, attempt, self._retries)

    def _cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        prompt, completion = self._settings.llm_price_prompt, self._settings.llm_price_completion
        if prompt is None or completion is None:
            return None
        return (prompt * prompt_tokens + completion * completion_tokens) / 1_000_000


class Reply:
    """An iterator of the texts of one reply; ``usage`` says what it cost, as far as it was read."""

    def __init__(self, llm: LLM, messages: Messages) -> None:
        self._llm = llm
        self._messages = messages
        self._told: tuple[int, int] | None = None
        self._text = ""
        self._ended: str | None = None
        self._texts = self._read()

    def __iter__(self) -> Iterator[str]:
        return self._texts

    @property
    def cut_off(self) -> bool:
        """Whether the service stopped because the reply became too long, most likely in mid sentence."""
        return self._ended == "length"

    @property
    def usage(self) -> Usage:
        """As the service tells, else counted here; cost where the prices are set."""
        prompt, completion = self._told or self._counted()
        return Usage(prompt, completion, self._llm._cost(prompt, completion))

    def _counted(self) -> tuple[int, int]:
        if not self._text:  # a service that says nothing takes nothing
            return 0, 0
        count = self._llm.count_tokens
        return sum(count(text) for _, text in self._messages), count(self._text)

    def _read(self) -> Iterator[str]:
        attempt = 0
        while True:
            try:
                yield from self._attempt()
                return
            except LLMError:
                raise
            except self._llm._service.failures as error:
                # What has been passed on can't be taken back, so a reply that has begun isn't asked for again.
                wait = None if self._text else self._llm._pause(error, attempt)
                if wait is None:
                    # The cause is printed in tracebacks, so one that holds a key is left out.
                    cause = None if self._llm._service.holds_key(error) else error
                    raise self._llm._service.explain(error) from cause
            time.sleep(wait)
            attempt += 1

    def _attempt(self) -> Iterator[str]:
        for response in self._llm._responses(self._messages):
            text = self._new_text(response)
            self._note(response)
            if text:
                self._text += text
                yield text
        if not self._text.strip():
            hint = ": raise RAG_LLM_MAX_TOKENS" if self.cut_off else ""
            raise LLMError(f"{self._llm.name} sent an empty reply{hint}")
        if self._ended is None and self._llm._announces_end:
            raise LLMError("the LLM's reply broke off")

    def _new_text(self, response: Any) -> str:
        """What a response adds; one that doesn't tell holds the whole text so far."""
        if response.delta is not None:
            return str(response.delta)
        return (response.message.content or "")[len(self._text) :]

    def _note(self, response: Any) -> None:
        """Keep what the response tells besides its text: token counts, and why the service says it is done."""
        told = response.additional_kwargs or {}
        if told.get("completion_tokens"):
            self._told = int(told.get("prompt_tokens") or 0), int(told["completion_tokens"])
        choices = getattr(response.raw, "choices", None) or []
        for choice in choices:
            self._ended = getattr(choice, "finish_reason", None) or self._ended


def total(usages: Iterable[Usage]) -> Usage | None:
    """What several replies took together; None where that is nothing."""
    usages = [usage for usage in usages if usage.prompt_tokens or usage.completion_tokens]
    if not usages:
        return None
    costs = [usage.cost for usage in usages if usage.cost is not None]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        cost=sum(costs) if costs else None,
    )
