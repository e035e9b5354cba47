"""What people say of answers, kept in the store; and the evals, as they ran last or run now."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals import runs
from page.turn import MARKER, Turn

FEEDBACK = "feedback.jsonl"
DRAFTS = "gold_drafts.jsonl"
ROOT = Path(__file__).parent.parent

_writing = threading.Lock()


def keep_feedback(store: Path, turn: Turn, comment: str = "") -> None:
    """Appends what a person thinks of an answer to feedback.jsonl; of lines with the same ``id``, the last counts."""
    assert turn.answer is not None
    record = {
        "id": turn.id,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "rating": turn.rating,
        "comment": comment,
        "question": turn.question,
        "answer": turn.answer.text,
        "answered": turn.answer.answered,
        "confidence": round(turn.answer.confidence, 4),
        "answerer": turn.answer.answerer,
        "citations": [[c.source, c.start, c.end] for c in turn.answer.citations],
    }
    _append(store / FEEDBACK, record)


def feedback(store: Path) -> list[dict[str, Any]]:
    """The last word on each rated answer, newest first."""
    latest = {record["id"]: record for record in _read_lines(store / FEEDBACK)}
    return sorted(latest.values(), key=lambda record: record["when"], reverse=True)


def keep_draft(store: Path, turn: Turn, history: Sequence[tuple[str, str]]) -> str:
    """Appends a draft of a gold question to gold_drafts.jsonl, for a person to finish; returns what to tell them."""
    path = store / DRAFTS
    draft = draft_question(turn, history)
    if any((d["question"], d["history"]) == (draft["question"], draft["history"]) for d in _read_lines(path)):
        return f"This question is already a draft in {path}."
    _append(path, draft)
    return f"Kept as a draft in {path}: complete it, take its draft mark out, and move it to your gold file."


def draft_question(turn: Turn, history: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A gold question with what is known. A good answer gives its answers and evidence; a bad one leaves them open."""
    answer = turn.answer
    assert answer is not None
    good = turn.rating == "up"
    right = good and answer.answered
    said = answer.short or MARKER.sub("", answer.text).strip()
    words = re.findall(r"[a-z0-9]+", turn.question.lower())
    return {
        "id": f"draft-{'-'.join(words[:6])}-{turn.id[:6]}",
        "kind": "draft",
        "question": turn.question,
        "history": [list(pair) for pair in history],
        "answers": [said] if right else [],
        "must": [],
        "evidence": [{"source": c.source, "quote": c.quote} for c in answer.citations] if right else [],
        "answerable": answer.answered or not good,
        "draft": True,
    }


def drafts(store: Path) -> list[dict[str, Any]]:
    """The drafts that wait for a person."""
    return _read_lines(store / DRAFTS)


def last_runs(store: Path) -> list[dict[str, Any]]:
    """The newest two eval runs, newest first; fewer where there are fewer."""
    return [runs.read(path) for path in reversed(runs.kept(store)[-2:])]


def _append(path: Path, record: dict[str, Any]) -> None:
    line = json.dumps(record, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with _writing, path.open("a", encoding="utf-8") as file:
        file.write(line)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def eval_command(corpus: Path, store: Path) -> list[str]:
    """What runs the evals over these folders, telling its progress line by line."""
    folders = ["--corpus", str(corpus.resolve()), "--store", str(store.resolve())]
    return [sys.executable, "-m", "evals.run", *folders, "--progress"]


@dataclass(frozen=True)
class EvalState:
    """How an eval run stands: running (``done`` of ``total``), or over, with ``problem`` where it failed."""

    running: bool = False
    done: int = 0
    total: int = 0
    what: str = "Starting"
    problem: str = ""


class EvalRun:
    """At most one run of the evals at a time, as a process of its own, so that answers stay quick meanwhile."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self.state = EvalState()

    def start(self) -> None:
        """Run the evals now, unless they are running."""
        with self._lock:
            if not self.state.running:
                self.state = EvalState(running=True)
                threading.Thread(target=self._work, name="evals", daemon=True).start()

    def watch(self, every: float = 0.3) -> Iterator[EvalState]:
        """How it stands, now and then until it is over."""
        while self.state.running:
            yield self.state
            time.sleep(every)
        yield self.state

    def _work(self) -> None:
        last = ""
        with subprocess.Popen(
            self._command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                last = line.strip() or last
                if progress := re.fullmatch(r"(.+): (\d+)/(\d+)", last):
                    self.state = EvalState(True, int(progress[2]), int(progress[3]), progress[1].capitalize())
        # 1 says that the gate fell: the run itself is sound, and what fell is among its questions.
        problem = "" if process.returncode in (0, 1) else last or f"the evals ended with code {process.returncode}"
        self.state = replace(self.state, running=False, problem=problem)
