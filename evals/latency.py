"""How long a person waits for an LLM's first sentence, apart from the LLM itself.

    python -m evals.latency

An LLM's part is played by a scripted server on loopback: after a known delay it cites the gold evidence, as a good LLM
would, all at once. What passes besides that delay, from the question to the first checked sentence, is ours: finding
passages, the way to the server and back, checking the sentence.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from evals import gold
from evals.gold import Question
from rag import prompting
from rag.assistant import Assistant
from rag.settings import Settings
from tests.llm_server import LLMServer

HERE = Path(__file__).parent
_PASSAGE = re.compile(r'<passage number="(\d+)".*?>\n(.*?)\n</passage>', re.DOTALL)


class Wait(NamedTuple):
    """Seconds apart from the LLM's own; CPU seconds are true on a busy machine too."""

    before_the_LLM_is_asked: float
    after_it_has_answered: float
    together: float
    CPU: float


class Oracle:
    """Says what the gold evidence says, and knows when it was asked."""

    def __init__(self) -> None:
        self.question: Question | None = None
        self.asked_at: float | None = None

    def ask(self, question: Question) -> None:
        """Get ready for a question."""
        self.question, self.asked_at = question, None

    def __call__(self, messages: list[dict[str, str]]) -> str:
        self.asked_at = time.perf_counter()
        assert self.question is not None
        quote = self.question.evidence[0].quote
        passages = _PASSAGE.findall(messages[-1]["content"])
        number = next((number for number, text in passages if prompting.neutral(quote) in text), 1)
        return f"{quote.rstrip('.')}. [{number}] That is all."


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="evals.latency", description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=30, help="how many gold questions are asked (default: 30)")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds that the server takes (default: 0.3)")
    options = parser.parse_args(argv)
    asked, oracle = chosen(gold.load(HERE / "gold.jsonl"), options.questions), Oracle()
    with tempfile.TemporaryDirectory() as folder, LLMServer() as server:
        server.reply(oracle, wait=options.delay)
        assistant = Assistant(Settings(corpus=HERE.parent / "seeds", store=Path(folder), openai_base_url=server.url))
        assistant.sync()
        assistant.warm_up()
        first_sentence(assistant, asked[0], oracle, options.delay)
        waits = [first_sentence(assistant, question, oracle, options.delay) for question in asked]
    shown = [wait for wait in waits if wait]
    print(f"first sentences  {len(shown)} shown, {len(waits) - len(shown)} dropped")
    for label, seconds in zip(Wait._fields, zip(*shown, strict=True), strict=True):
        p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        print(f"{label.replace('_', ' ')}  p50 {1000 * p50:.0f} ms, p95 {1000 * p95:.0f} ms")


def chosen(questions: Sequence[Question], count: int) -> list[Question]:
    """That many questions for which an LLM is asked once, spread over the gold file."""
    fit = [q for q in questions if q.answerable and not q.history and q.kind != "metadata"]
    return fit[:: max(1, len(fit) // count)][:count]


def first_sentence(assistant: Assistant, question: Question, oracle: Oracle, delay: float) -> Wait | None:
    """How long the first sentence was waited for; None if the first one was dropped."""
    oracle.ask(question)
    began, cpu = time.perf_counter(), time.process_time()
    for event in assistant.stream(question.question):
        if event.kind == "sentence":
            now, asked_at = time.perf_counter(), oracle.asked_at
            if asked_at is None or not event.citations:
                return None
            before, after = asked_at - began, now - asked_at - delay
            return Wait(before, after, before + after, time.process_time() - cpu)
    return None


if __name__ == "__main__":
    main()
