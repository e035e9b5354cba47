"""The LLM room against a scripted service: what it says, what it costs, and every way it fails."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rag.errors import LLMAuthError, LLMContextError, LLMError
from rag.llm import LLM, total
from rag.settings import Settings
from rag.types import Usage
from tests.llm_server import LLMServer

KEY = "sk-test-0123456789abcdef"
ASKED = [("system", "Be brief."), ("user", "Hello?")]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as server:
        yield server


def make(server: LLMServer, **settings: Any) -> LLM:
    return LLM(Settings(openai_base_url=server.url, openai_api_key=KEY, **{"llm_timeout": 5.0, **settings}))


def failure(llm: LLM) -> LLMError:
    with pytest.raises(LLMError) as caught:
        llm.complete(ASKED)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_reply_arrives_piece_by_piece(server: LLMServer) -> None:
    server.reply("750 people. [1]")
    assert list(make(server).stream(ASKED)) == ["750", " people.", " [1]"]


def test_the_request_says_what_the_settings_say(server: LLMServer) -> None:
    server.reply("Hi.")
    make(server, llm_model="some-local-model", llm_max_tokens=77).complete(ASKED)
    request = server.requests[0]
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("some-local-model", 77, 0)
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
    assert server.keys == [f"Bearer {KEY}"]


def test_a_server_of_ones_own_needs_no_key(server: LLMServer) -> None:
    server.reply("Hi.")
    assert LLM(Settings(openai_base_url=server.url)).complete(ASKED) == "Hi."


def test_without_key_and_server_one_line_says_what_to_set() -> None:
    with pytest.raises(LLMAuthError, match="OPENAI_API_KEY"):
        LLM(Settings()).complete(ASKED)


def test_usage_is_the_services_own(server: LLMServer) -> None:
    server.reply("Hi.", usage=(1000, 50))
    reply = make(server, llm_price_prompt=2.0, llm_price_completion=8.0).stream(ASKED)
    assert "".join(reply) == "Hi."
    assert reply.usage == Usage(1000, 50, pytest.approx(0.0024))


def test_usage_is_counted_where_the_service_does_not_tell(server: LLMServer) -> None:
    server.reply("Hello there", usage=None)
    reply = make(server).stream(ASKED)
    list(reply)
    assert reply.usage == Usage(prompt_tokens=5, completion_tokens=2, cost=None)


def test_a_service_that_refuses_stream_options_is_asked_without(server: LLMServer) -> None:
    server.refuse_stream_options()
    server.reply("Hi.")
    assert make(server, llm_retries=0).complete(ASKED) == "Hi."
    assert ["stream_options" in request for request in server.requests] == [True, False]


def test_tokens_are_counted_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    llm = LLM(Settings(llm_model="a-model-nobody-knows"))
    assert llm.count_tokens("Hello, world!") == 4
    assert llm.count_tokens("<|endoftext|>") > 1  # plain text, not a special token


@pytest.mark.parametrize("wait", [0.3, format_datetime(datetime.now(UTC) + timedelta(seconds=-5))])
def test_a_busy_service_is_asked_again_after_the_time_it_names(server: LLMServer, wait: float | str) -> None:
    server.fail(429, retry_after=wait)
    server.reply("Hi.")
    began = time.perf_counter()
    assert make(server).complete(ASKED) == "Hi."
    assert time.perf_counter() - began >= (wait if isinstance(wait, float) else 0)


def test_a_long_retry_after_is_not_waited_for(server: LLMServer) -> None:
    server.fail(429, retry_after=3600)
    began = time.perf_counter()
    assert "429" in str(failure(make(server)))
    assert time.perf_counter() - began < 3
    assert len(server.requests) == 1


def test_no_credit_left_is_not_tried_again(server: LLMServer) -> None:
    server.fail(429, code="insufficient_quota")
    failure(make(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize("script", ["fail", "drop"])
def test_a_passing_fault_is_tried_again(server: LLMServer, script: str) -> None:
    server.fail(500) if script == "fail" else server.drop()
    server.reply("Hi.")
    assert make(server).complete(ASKED) == "Hi."


def test_retries_end(server: LLMServer) -> None:
    server.fail(500)
    assert "500" in str(failure(make(server, llm_retries=1)))
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_one_line_without_the_key(server: LLMServer, status: int) -> None:
    server.fail(status, message=f"Incorrect API key provided: {KEY}")
    error = failure(make(server))
    assert isinstance(error, LLMAuthError)
    assert "OPENAI_API_KEY" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("said", [KEY, "sk-proj-abc***xyz", f"Bearer {KEY}"])
def test_keys_are_in_no_error_log_or_repr(server: LLMServer, caplog: pytest.LogCaptureFixture, said: str) -> None:
    caplog.set_level(logging.DEBUG)
    server.fail(500, message=f"cannot serve {said}")
    llm = make(server, llm_retries=0)
    error = failure(llm)
    printed = "".join(traceback.format_exception(error)) + repr(llm) + caplog.text
    assert KEY not in printed
    assert "sk-proj-abc" not in printed


def test_no_route_is_one_line_without_the_urls_password(server: LLMServer) -> None:
    llm = LLM(Settings(openai_base_url="http://user:hunter2@127.0.0.1:9/v1", llm_retries=0))
    error = failure(llm)
    assert "127.0.0.1:9 can't be reached" in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("begun", ["", "The plant"])
def test_a_silent_service_times_out(server: LLMServer, begun: str) -> None:
    server.hang(begun)
    assert "RAG_LLM_TIMEOUT" in str(failure(make(server, llm_timeout=0.3)))
    assert len(server.requests) == 1


def test_a_cut_stream_gives_what_came_and_then_the_error(server: LLMServer) -> None:
    server.cut("The plant employs")
    texts = []
    with pytest.raises(LLMError, match="broke off"):
        for text in make(server).stream(ASKED):
            texts.append(text)
    assert "".join(texts) == "The plant employs"
    assert len(server.requests) == 1  # what was passed on can't be taken back


def test_a_stream_that_ends_without_saying_so_broke_off(server: LLMServer) -> None:
    server.reply("The plant employs", finish=None)
    assert "broke off" in str(failure(make(server)))


@pytest.mark.parametrize("data", ['{"choices": [{"del', "[]", '{"choices": null}', "<html>"])
def test_what_is_no_chat_completion_is_one_line(server: LLMServer, data: str) -> None:
    server.garble(data)
    assert "isn't a chat completion" in str(failure(make(server)))


def test_an_error_inside_the_stream_is_told(server: LLMServer) -> None:
    server.garble('{"error": {"message": "the model crashed"}}')
    assert "the model crashed" in str(failure(make(server)))


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_reply_is_an_error(server: LLMServer, text: str) -> None:
    server.reply(text)
    assert "empty" in str(failure(make(server)))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "This model's maximum context length is 2048 tokens. However, you requested 3042 tokens"),  # OpenAI, vLLM
        (400, "the request exceeds the available context size (2048 tokens), try increasing it"),  # llama.cpp
        (400, "the input length exceeds the context length"),  # Ollama
        (422, "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3042 `inputs` tokens"),  # TGI
        (413, "Request too large for this model"),  # Groq
    ],
)
def test_a_prompt_that_is_too_long_names_the_setting(server: LLMServer, status: int, said: str) -> None:
    server.fail(status, message=said)
    error = failure(make(server))
    assert isinstance(error, LLMContextError)
    assert "RAG_LLM_CONTEXT_TOKENS" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("finish", "cut_off"), [("length", True), ("stop", False)])
def test_a_reply_that_became_too_long_is_known_for_it(server: LLMServer, finish: str, cut_off: bool) -> None:
    server.reply("The plant employs", finish=finish)
    reply = make(server).stream(ASKED)
    assert "".join(reply) == "The plant employs"
    assert reply.cut_off is cut_off


def test_thinking_until_no_room_is_left_names_the_setting(server: LLMServer) -> None:
    server.reply("", finish="length")
    assert "RAG_LLM_MAX_TOKENS" in str(failure(make(server)))


def test_a_refused_request_takes_no_tokens(server: LLMServer) -> None:
    server.fail(401)
    reply = make(server).stream(ASKED)
    with pytest.raises(LLMAuthError):
        list(reply)
    assert total([reply.usage]) is None


def test_usages_add_up() -> None:
    assert total([Usage(10, 2, 0.5), Usage(0, 0, 0.0), Usage(5, 1, 0.25)]) == Usage(15, 3, 0.75)
    assert total([Usage(10, 2), Usage(5, 1)]) == Usage(15, 3, None)
    assert total([]) is None


def test_an_unknown_model_names_the_setting(server: LLMServer) -> None:
    server.fail(404, message="model not found")
    assert "RAG_LLM_MODEL" in str(failure(make(server)))


def test_any_llamaindex_llm_will_do() -> None:
    from llama_index.core.llms import MockLLM

    llm = LLM(Settings(), model=MockLLM())
    assert "Hello?" in llm.complete(ASKED)
    assert llm.name == "MockLLM"


def test_a_llamaindex_llm_that_cannot_stream_will_do() -> None:
    from llama_index.core.base.llms.types import ChatMessage, ChatResponse
    from llama_index.core.llms import MockLLM

    class Slow(MockLLM):
        def stream_chat(self, messages: Any, **options: Any) -> Any:
            raise NotImplementedError

        def chat(self, messages: Any, **options: Any) -> ChatResponse:
            return ChatResponse(message=ChatMessage(role="assistant", content="All at once."))

    assert list(LLM(Settings(), model=Slow()).stream(ASKED)) == ["All at once."]


def test_whatever_a_foreign_llm_raises_becomes_one_line() -> None:
    from llama_index.core.llms import MockLLM

    class StrangeError(Exception):
        pass

    class Broken(MockLLM):
        def stream_chat(self, messages: Any, **options: Any) -> Any:
            raise StrangeError(f"quota\nexceeded for {KEY}")

    error = failure(LLM(Settings(), model=Broken()))
    assert str(error) == "the LLM failed: StrangeError: quota exceeded for ***"
