"""``rag eval`` from its arguments to its exit code, over a small corpus that changes.

The assistant is scripted here: it answers with the sentence that shares most words with the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evals import run, runs
from evals.compare import compare, gate, loss_by_chance, nearest
from rag.errors import LLMError
from rag.generation import Generation
from rag.settings import Settings
from rag.types import Answer, Citation, Passage, SyncReport, Usage
from tests.llm_server import LLMServer

ARTICLES = {
    "byd.txt": "BYD has a bus plant in Lancaster. It employs 750 workers at the plant.",
    "fuyao.txt": "Fuyao makes glass in Ohio. Fuyao invested one billion dollars in Ohio.",
}


class Scripted:
    """Stands in for the Assistant."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def warm_up(self) -> None:
        """There is nothing to load."""

    def sync(self, progress: object) -> SyncReport:
        return SyncReport((), (), (), tuple(self._texts()), (("broken.txt", "empty"),), 4, 0.0)

    def query(self, question: str, history: Sequence[tuple[str, str]]) -> Answer:
        if "fail" in question:
            raise LLMError("the LLM service failed")
        asked = set(re.findall(r"\w+", question.lower()))
        found = max(
            (
                (len(asked & set(re.findall(r"\w+", match[0].lower()))), source, match.start(), match[0])
                for source, text in self._texts().items()
                for match in re.finditer(r"[^.]+\.", text)
            ),
        )
        shared, source, start, sentence = found
        start, sentence = start + len(sentence) - len(sentence.lstrip()), sentence.strip()
        passages = (Passage(source, start, start + len(sentence), sentence, 1.0),)
        if shared < 3:
            return Answer("The articles don't say.", None, False, "nothing fits", (), passages, 0.1, "reader", 0.0)
        citation = Citation(1, source, "", (), "", "", sentence, start, start + len(sentence))
        usage = Usage(10, 5, 0.5)
        return Answer(f"{sentence} [1]", None, True, None, (citation,), passages, 0.9, "reader", 0.0, usage=usage)

    def _texts(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.settings.corpus.glob("*.txt"))}


def gold_line(id: str, question: str, answer: str, source: str, quote: str) -> dict[str, Any]:
    answerable = bool(answer)
    return {
        "id": id,
        "kind": "fact" if answerable else "other-world",
        "question": question,
        "history": [],
        "answers": [answer] if answerable else [],
        "must": [],
        "evidence": [{"source": source, "quote": quote}] if answerable else [],
        "answerable": answerable,
    }


GOLD = [
    gold_line("where", "Where has BYD a bus plant?", "Lancaster", "byd.txt", "BYD has a bus plant in Lancaster."),
    gold_line("workers", "It employs how many workers?", "750", "byd.txt", "It employs 750 workers at the plant."),
    gold_line("glass", "Who makes glass in Ohio?", "Fuyao", "fuyao.txt", "Fuyao makes glass in Ohio."),
    gold_line("moon", "Who walked on the moon first?", "", "", ""),
]


class World:
    """A corpus, a gold file and a store in a folder, and ``rag eval`` over them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.corpus, self.gold = folder, folder / "corpus", folder / "gold.jsonl"
        self.corpus.mkdir()
        for source, text in ARTICLES.items():
            (self.corpus / source).write_text(text)
        self.write_gold(GOLD)

    def write_gold(self, questions: Sequence[dict[str, Any]]) -> None:
        self.gold.write_text("\n".join(json.dumps(question) for question in questions))

    def eval(self, *arguments: str) -> int:
        places = ("--corpus", str(self.corpus), "--store", str(self.folder / "store"), "--gold", str(self.gold))
        return run.main([*places, *arguments])

    def json(self, *arguments: str) -> dict[str, Any]:
        self.eval("--json", str(self.folder / "run.json"), *arguments)
        return json.loads((self.folder / "run.json").read_text())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(run, "Assistant", Scripted)
    return World(tmp_path)


def test_a_run_prints_its_rates_and_exits_with_0(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.eval() == 0
    output = capsys.readouterr()
    assert re.search(r"^answerable: right +3 +100\.0 +100\.0 to 100\.0$", output.out, re.M)
    assert re.search(r"^other-world +1 +100\.0", output.out, re.M)
    assert "30 prompt and 15 completion tokens, cost 1.5000" in output.out
    assert output.err == "skipped broken.txt: empty\n"


def test_the_json_holds_what_the_contract_promises(world: World) -> None:
    written = world.json()
    assert written["corpus"].keys() == {"fingerprint", "articles", "chunks"}
    assert (written["corpus"]["articles"], written["corpus"]["chunks"], written["answerer"]) == (2, 4, "reader")
    promised = {"accuracy", "citation_precision", "citation_recall", "hit@5", "mrr@10"}
    promised |= {"declined_unanswerable", "declined_answerable", "p50_seconds", "p95_seconds"}
    assert promised <= written["metrics"].keys()
    for record in written["questions"]:
        assert {"id", "question", "passed", "answer", "citations", "problems"} <= record.keys()
    assert [record["passed"] for record in written["questions"]] == [True] * 4
    assert written["questions"][0]["citations"][0]["quote"] == "BYD has a bus plant in Lancaster."


def test_a_question_that_gets_no_answer_is_unscored_not_wrong(world: World) -> None:
    world.write_gold([*GOLD, gold_line("llm", "Did it fail?", "Ohio", "fuyao.txt", "Fuyao makes glass in Ohio.")])
    written = world.json()
    assert (written["questions"][4]["passed"], written["metrics"]["accuracy"]) == (None, 1.0)
    assert written["questions"][4]["problems"] == ["unscored: the LLM service failed"]
    assert written["counts"]["accuracy"] == 3


def change_the_corpus(world: World) -> None:
    """One article edited (a number), one removed, one added that draws a question away from its answer."""
    edited = ARTICLES["byd.txt"].replace("750", "800")
    (world.corpus / "byd.txt").write_text(edited)
    (world.corpus / "fuyao.txt").unlink()
    (world.corpus / "moon.txt").write_text("Armstrong was first who walked on the moon.")


def test_a_change_of_the_corpus_is_told_question_by_question(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.eval("--update-baseline") == 0
    change_the_corpus(world)
    added = gold_line("armstrong", "Who walked on our moon?", "Armstrong", "moon.txt", "Armstrong was first")
    world.write_gold([*GOLD, added])
    capsys.readouterr()
    assert world.eval() == 1
    output = capsys.readouterr().out
    assert re.findall(r"^ +(\d+ (?:better|worse|stale|new|gone).*)$", output, re.M) == [
        "0 better",
        "1 worse: moon",
        "2 stale: workers, glass",
        "1 new: armstrong",
        "0 gone",
    ]
    assert "byd.txt: “employs 750 workers” became “employs 800 workers”\n    workers\n" in output
    assert "fuyao.txt is no longer in the corpus, and nothing like its evidence is left\n    glass\n" in output
    assert output.endswith("the gate fell:\n2 stale: workers, glass\n\n")

    for source, text in ARTICLES.items():
        (world.corpus / source).write_text(text)
    (world.corpus / "moon.txt").unlink()
    world.write_gold(GOLD)
    assert world.eval() == 0
    assert "the same corpus" in capsys.readouterr().out


def test_any_earlier_run_can_be_compared_with(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.eval("--against", "last") == 2
    assert "no earlier run" in capsys.readouterr().err
    world.json()
    world.write_gold(GOLD[1:])
    assert world.eval("--against", "last") == 0
    assert re.search(r"1 gone: where$", capsys.readouterr().out, re.M)
    assert world.eval("--against", str(world.folder / "run.json")) == 0
    assert world.eval("--against", str(world.gold)) == 2
    assert "is not a run" in capsys.readouterr().err


def test_a_part_of_the_questions_is_compared_with_the_same_part(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.eval("--update-baseline")
    assert world.eval("--kinds", "other-world") == 0
    assert world.eval("--limit", "1") == 0
    assert len(capsys.readouterr().out.split("0 gone")) == 3
    assert world.eval("--kinds", "nonsense") == 2


def test_a_metric_under_its_floor_makes_the_gate_fall(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write_gold([*GOLD, gold_line("wrong", "Who makes glass in Ohio now?", "BYD", "byd.txt", "BYD has")])
    pyproject = world.folder / "pyproject.toml"
    pyproject.write_text("[tool.rag.evals]\naccuracy = 0.75\ndeclined_answerable = 0.0\n")
    assert world.eval() == 0
    pyproject.write_text("[tool.rag.evals]\naccuracy = 0.8\n")
    assert world.eval() == 1
    assert "accuracy 0.750 is under its floor 0.8" in capsys.readouterr().out
    assert world.eval("--kinds", "fact") == 0  # a part of the questions has no floors
    capsys.readouterr()
    for broken, reason in (("accuracy = ", "is broken"), ('accuracy = "high"', "must be a number")):
        pyproject.write_text(f"[tool.rag.evals]\n{broken}\n")
        assert world.eval() == 2
        assert reason in capsys.readouterr().err


def test_metrics_that_count_down_have_a_ceiling() -> None:
    measured = {"metrics": {"inexact_citations": 0, "declined_answerable": 0.2}, "questions": []}
    assert gate(measured, None, {"declined_answerable": 0.2}) == []
    assert gate(measured, None, {"acuracy": 0.1}) == ["there is no metric acuracy for its floor"]
    assert gate(measured, None, {"declined_answerable": 0.1}) == ["declined_answerable 0.200 is above its ceiling 0.1"]


def test_checking_tells_lines_and_reasons_and_asks_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.eval("--check") == 0
    assert "other-world" in capsys.readouterr().out
    world.gold.write_text('{"id": 1}\n{\n')
    assert world.eval("--check") == 2
    output = capsys.readouterr()
    assert output.out.startswith(f"{world.gold}:1: missing field 'kind'")
    assert f"{world.gold}:2: broken JSON" in output.out
    assert world.eval() == 2
    assert "Traceback" not in capsys.readouterr().err


def test_gold_for_other_articles_is_an_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for source in ARTICLES:
        (world.corpus / source).rename(world.corpus / f"other-{source}")
    assert world.eval() == 2
    assert "holds none of the articles asked about" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_one_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.eval("--json", str(world.gold / "run.json")) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("rag eval: ")


def outcomes(**passed: bool | None) -> dict[str, Any]:
    records = [
        {"id": id, "question": f"{id}?", "passed": outcome, "stale": outcome is None} for id, outcome in passed.items()
    ]
    return {"metrics": {"inexact_citations": 0}, "questions": records}


def test_comparing_pairs_questions_by_id_and_wording() -> None:
    before = outcomes(a=True, b=False, c=True, d=True, e=False, f=None)
    after = outcomes(a=False, b=True, c=True, d=None, f=True, g=False)
    after["questions"][2]["question"] = "reworded?"
    found = compare(before, after)
    assert (found.worse, found.better, found.stale) == (("a",), ("b",), ("d",))
    assert (found.new, found.gone) == (("c", "g"), ("c", "e"))


def test_chance_is_mcnemars_exact_test() -> None:
    assert loss_by_chance(0, 0) == 1
    assert loss_by_chance(0, 5) == pytest.approx(1 / 32)
    assert loss_by_chance(1, 4) == pytest.approx((5 + 1) / 32)  # 4 or 5 heads of 5
    assert loss_by_chance(5, 0) == 1


def test_the_gate_falls_on_a_loss_beyond_noise_only() -> None:
    ids = "abcde"
    before = outcomes(**dict.fromkeys(ids, True))
    four_worse = outcomes(**{id: id == "e" for id in ids})
    assert gate(four_worse, compare(before, four_worse), {}) == []
    all_worse = outcomes(**dict.fromkeys(ids, False))
    assert gate(all_worse, compare(before, all_worse), {}) == [
        "5 worse against 0 better, beyond noise (p = 0.031): a, b, c, d, e"
    ]


def test_the_nearest_text_is_sought_in_its_own_article_first() -> None:
    quote = "It employs more than 750 workers."
    other = f"Unrelated. {quote}"
    found = nearest("a.txt", quote, {"a.txt": "One. It employs more than 900 workers. Two.", "b.txt": other})
    assert found is not None
    assert (found.source, found.start, found.text) == ("a.txt", 5, "It employs more than 900 workers.")
    found = nearest("gone.txt", quote, {"b.txt": other})
    assert found is not None
    assert (found.source, found.text) == ("b.txt", quote)
    assert nearest("gone.txt", quote, {"b.txt": "Nothing alike here at all."}) is None


def test_the_nearest_text_is_as_long_as_the_quote() -> None:
    text = "First one stays here. Second is changed now. Third is another thing."
    found = nearest("a.txt", "First one stays here. Second was changed then.", {"a.txt": text})
    assert found is not None
    assert found.text == "First one stays here. Second is changed now."


def test_two_generations_of_a_store_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path)  # with the real assistant
    store = tmp_path / "store"
    assert world.eval("--against", "sync") == 0  # there was nothing before
    (world.corpus / "byd.txt").write_text(ARTICLES["byd.txt"].replace("750", "800"))
    capsys.readouterr()
    assert world.eval("--against", "sync") == 1
    output = capsys.readouterr().out
    assert "against the store before this sync: another corpus" in output
    assert re.search(r"^ +1 stale: workers$", output, re.M)

    first = Generation(next((store / "generations").iterdir()))  # held, so that the next sync leaves it
    (world.corpus / "byd.txt").write_text(ARTICLES["byd.txt"])
    assert world.eval() == 0
    second = max(int(path.name) for path in (store / "generations").iterdir())
    capsys.readouterr()
    assert world.eval("--generations", str(second), str(first.number)) == 1
    output = capsys.readouterr().out
    assert "byd.txt: “employs 750 workers” became “employs 800 workers”\n    workers\n" in output
    assert world.eval("--generations", str(first.number), str(second)) == 0
    assert world.eval("--generations", "1000", "1001") == 2
    assert "holds no generation 1000" in capsys.readouterr().err


def test_an_llm_that_fails_leaves_questions_unscored_and_one_that_judges_stands_beside_the_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.write_gold(GOLD[:2])
    monkeypatch.setenv("RAG_LLM_RETRIES", "0")
    with LLMServer() as server:
        server.fail(500)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        failed = world.json()
        assert [record["passed"] for record in failed["questions"]] == [None, None]
        assert all(record["problems"][0].startswith("unscored: ") for record in failed["questions"])
    with LLMServer() as server:
        server.reply("right")
        server.reply("wrong")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        judged = world.json("--answerer", "reader", "--judge")
    passed = [record["passed"] for record in judged["questions"]]
    assert judged["judge"] == {"judged": 2, "right": 0.5, "agreement": (passed[0] + (not passed[1])) / 2, "kappa": 0.0}


def test_a_restored_corpus_gives_the_very_same_answers(tmp_path: Path) -> None:
    world = World(tmp_path)  # with the real assistant
    assert world.eval("--update-baseline") == 0
    before = world.json()
    change_the_corpus(world)
    assert world.eval() == 1
    changed = json.loads((runs.kept(tmp_path / "store")[-1]).read_text())
    assert [record["id"] for record in changed["questions"] if record["stale"]] == ["workers", "glass"]
    for source, text in ARTICLES.items():
        (world.corpus / source).write_text(text)
    (world.corpus / "moon.txt").unlink()
    assert world.eval() == 0
    after = world.json()
    told = ("passed", "answer", "confidence", "passages", "citations")
    assert [[record[name] for name in told] for record in after["questions"]] == [
        [record[name] for name in told] for record in before["questions"]
    ]
