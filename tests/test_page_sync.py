"""While a sync runs, the page answers from the state before it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

import rag
from page.endpoints import Endpoints
from page.events import Page
from rag.assistant import MODELS
from rag.embedding import BundledEmbedding

BEFORE = "The Tavrin bridge was opened in 1931. It carries two lanes of traffic over the river Odra."
AFTER = BEFORE.replace("1931", "1954")
QUESTION = "When was the Tavrin bridge opened?"


class Gated(BundledEmbedding):
    """The bundled embedding, which waits at a gate before it embeds an article; questions pass."""

    def __init__(self) -> None:
        super().__init__(MODELS)
        self.waits, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.waits.set()
        assert self.gate.wait(60)
        return super().embed(texts)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "bridge.txt").write_text(BEFORE)
    assistant = rag.Assistant(rag.Settings(corpus=tmp_path / "articles", store=tmp_path / "store"))
    assistant.embedding = Gated()
    assistant.sync()
    page = Page(assistant)
    yield page
    assistant.embedding.gate.set()
    list(page.syncing.watch())


def test_questions_are_answered_from_the_old_state_until_the_sync_is_over(page: Page) -> None:
    embedding = page.assistant.embedding
    assert isinstance(embedding, Gated)
    embedding.waits.clear()
    embedding.gate.clear()
    (page.folder / "bridge.txt").write_text(AFTER)
    (page.folder / "new.txt").write_text("The Tavrin tunnel was dug in 1988.")
    page.syncing.start()
    assert embedding.waits.wait(60)

    assert page.syncing.state.running
    assert Endpoints(page).query(QUESTION)["short"] == "1931"
    assert [passage["source"] for passage in Endpoints(page).retrieve("Tavrin tunnel")] == ["bridge.txt"]
    *_, (turns, _, _, _) = page.ask(QUESTION, [])
    assert turns[0].answer is not None
    assert "1931" in turns[0].answer.text
    assert page.syncing.state.running

    embedding.gate.set()
    *_, last = page.syncing.watch()
    assert last.report is not None
    assert (last.report.added, last.report.changed) == (("new.txt",), ("bridge.txt",))
    assert Endpoints(page).query(QUESTION)["short"] == "1954"
