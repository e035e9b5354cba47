"""The command line, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SEEDS

LAKE = "The lake is 40 metres deep. It freezes in winter."


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "lake.txt").write_text(LAKE)
    return folder


def rag(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, without keys."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OPENAI_"))}
    return subprocess.run(
        [sys.executable, "-m", "rag", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env=clean | {"PYTHONIOENCODING": "utf-8"} | environment,
        timeout=120,
    )


def one_line(run: subprocess.CompletedProcess[str]) -> str:
    """The error of a run that failed as it should: exit code 2, one line, no traceback."""
    assert run.returncode == 2, run.stderr
    lines = [line for line in run.stderr.splitlines() if line.startswith("rag: ")]
    assert len(lines) == 1 and "Traceback" not in run.stderr, run.stderr
    return lines[0]


def test_query_syncs_and_answers(corpus: Path, tmp_path: Path) -> None:
    run = rag("query", "How deep is the lake?", "--corpus", corpus, "--store", tmp_path / "store")
    assert run.returncode == 0, run.stderr
    assert "40 metres" in run.stdout and "lake.txt:0-27" in run.stdout


def test_query_json_is_the_answer(corpus: Path, tmp_path: Path) -> None:
    run = rag("query", "How deep is the lake?", "--json", "--corpus", corpus, "--store", tmp_path / "store")
    answer = json.loads(run.stdout)
    assert answer["answered"] is True
    assert answer["citations"][0]["quote"] == "The lake is 40 metres deep."
    assert answer["answerer"] == "reader"


def test_sync_reports_what_it_did(corpus: Path, tmp_path: Path) -> None:
    (corpus / "empty.txt").write_text("")
    run = rag("sync", "--json", "--corpus", corpus, "--store", tmp_path / "store")
    report = json.loads(run.stdout)
    assert report["added"] == ["lake.txt"]
    assert [source for source, _ in report["skipped"]] == ["empty.txt"]


def test_text_prints_what_citations_count_in(tmp_path: Path) -> None:
    file = tmp_path / "crlf.txt"
    file.write_bytes("Zwei Zeilen.\r\nÜber Äpfel.\r\n".encode())
    clean = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-m", "rag", "text", str(file)], capture_output=True, cwd=ROOT, env=clean)
    assert run.stdout == file.read_bytes()


def test_settings_come_from_the_environment(corpus: Path, tmp_path: Path) -> None:
    run = rag("query", "How deep is the lake?", RAG_CORPUS=str(corpus), RAG_STORE=str(tmp_path / "store"))
    assert "40 metres" in run.stdout


def test_no_corpus_folder(tmp_path: Path) -> None:
    run = rag("query", "How deep?", "--corpus", tmp_path / "nowhere", "--store", tmp_path / "store")
    assert "nowhere" in one_line(run)


def test_an_empty_corpus_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = rag("sync", "--corpus", tmp_path / "empty", "--store", tmp_path / "store")
    assert "holds no article" in one_line(run)


@pytest.mark.parametrize("question", ["", "  ", "?!"])
def test_an_empty_question(corpus: Path, tmp_path: Path, question: str) -> None:
    run = rag("query", question, "--corpus", corpus, "--store", tmp_path / "store")
    assert "question is empty" in one_line(run)


def test_a_store_that_cannot_be_written(corpus: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    run = rag("sync", "--corpus", corpus, "--store", blocked / "store")
    assert str(blocked) in one_line(run)


def test_an_unknown_embedding(corpus: Path, tmp_path: Path) -> None:
    run = rag("sync", "--corpus", corpus, "--store", tmp_path / "store", RAG_EMBEDDING="oracle")
    assert "oracle" in one_line(run)


def test_a_wrong_setting(corpus: Path) -> None:
    assert "RAG_LLM_TIMEOUT" in one_line(rag("query", "Why?", "--corpus", corpus, RAG_LLM_TIMEOUT="-1"))


def test_text_of_a_missing_file(tmp_path: Path) -> None:
    assert "missing.txt" in one_line(rag("text", tmp_path / "missing.txt"))


def test_the_light_commands_leave_the_heavy_libraries_alone(tmp_path: Path) -> None:
    """A question to a synced store imports neither LlamaIndex nor Gradio nor OpenAI nor Chroma's client: it's fast."""
    store = tmp_path / "store"
    rag("sync", "--corpus", SEEDS, "--store", store)
    code = (
        "import sys\nfrom rag.cli import main\n"
        f"main(['query', 'Who founded CATL?', '--corpus', {str(SEEDS)!r}, '--store', {str(store)!r}])\n"
        "heavy = {'llama_index', 'gradio', 'openai', 'torch', 'chromadb'}\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & heavy))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.splitlines()[-1] == "[]", run.stderr
