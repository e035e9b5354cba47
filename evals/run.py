"""``rag eval``: asks the gold questions, scores the answers, says what changed and whether the gate stands.

Results go to stdout, progress to stderr. Exit codes: 0 fine, 1 the gate fell, 2 an error (one line).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from evals import compare, figures, gold, propose, report, runs, table
from evals.asking import Asker, Progress
from evals.compare import Run
from evals.record import read_about, read_texts
from rag.assistant import Assistant
from rag.errors import GoldError, RagError
from rag.generation import Generation
from rag.settings import Settings

GOLD = Path(__file__).parent / "gold.jsonl"
TREND = 20
"""Earlier runs of which the report shows the course."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``rag eval`` with these arguments; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.check:
            return _check(options)
        return _propose(options) if options.propose else _evaluate(options)
    except RagError as error:
        print(f"rag eval: {error}", file=sys.stderr)
    except OSError as error:
        print(f"rag eval: {error.filename}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("rag eval: interrupted; nothing was kept", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rag eval", description="Score the assistant on gold questions.")
    parser.add_argument("--corpus", type=Path, help="folder of articles (default: seeds, or RAG_CORPUS)")
    parser.add_argument("--store", type=Path, help="folder of the index (default: .rag, or RAG_STORE)")
    parser.add_argument("--answerer", choices=("auto", "reader", "llm"), help="who answers (default: RAG_ANSWERER)")
    parser.add_argument("--gold", type=Path, default=GOLD, metavar="FILE", help="gold questions (default: the seeds')")
    parser.add_argument("--kinds", help="ask questions of these kinds only, separated by commas")
    parser.add_argument("--limit", type=int, help="ask the first LIMIT questions only")
    parser.add_argument("--check", action="store_true", help="check the gold file against the corpus, ask nothing")
    parser.add_argument("--propose", type=Path, metavar="FILE", help="draft questions for articles that have none")
    parser.add_argument("--articles", nargs="+", metavar="SOURCE", help="the articles to draft questions for")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the run as JSON")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write the run as a page")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="default: baseline.json beside the gold file")
    parser.add_argument("--update-baseline", action="store_true", help="make this run the baseline")
    parser.add_argument(
        "--against",
        metavar="RUN",
        help="compare with this run's JSON instead of the baseline; with 'last', the last run; with 'sync', the store"
        " as it was before this sync",
    )
    parser.add_argument("--generations", nargs=2, type=int, metavar="N", help="compare two generations of the store")
    parser.add_argument("--judge", action="store_true", help="have the LLM judge the answers beside the score")
    parser.add_argument("--record", action="store_true", help="keep the figures for the README")
    parser.add_argument("--progress", action="store_true", help="print progress even where stderr is no terminal")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: value for name in ("corpus", "store", "answerer") if (value := getattr(options, name)) is not None}
    return Settings(**given)


def _check(options: argparse.Namespace) -> int:
    corpus = _settings(options).corpus
    problems = gold.check(options.gold, read_texts(corpus), read_about(corpus))
    if problems:
        print("\n".join(problems))
        print(f"rag eval: {len(problems)} problems in {options.gold}", file=sys.stderr)
        return 2
    print(gold.counts(gold.read(options.gold)[0]))
    return 0


def _propose(options: argparse.Namespace) -> int:
    if options.propose.exists():
        raise GoldError(f"{options.propose} exists: accept or throw away its drafts first, or name another file")
    assistant, shown = Assistant(_settings(options)), _shown(options)
    assistant.sync(shown)
    questions = gold.read(options.gold)[0] if options.gold.exists() else []
    asked = {quote.source for question in questions for quote in question.evidence}
    sources = options.articles or [source for source in assistant.articles() if source not in asked]
    drafts = []
    for number, source in enumerate(sources, 1):
        drafts += propose.drafts(assistant.article(source), assistant)
        shown(number, len(sources), "drafting")
    options.propose.write_text("".join(json.dumps(draft, ensure_ascii=False) + "\n" for draft in drafts), "utf-8")
    print(f"{len(drafts)} drafts for {len(sources)} articles in {options.propose}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    settings = _settings(options)
    questions = _chosen(gold.load(options.gold), options)
    asker = Asker(settings, questions, _shown(options), judging=options.judge)
    before: Run | None
    if options.generations:
        before, run = (asker.run_generation(_generation(settings, number)) for number in options.generations)
        name = f"generation {options.generations[0]}"
    else:
        before, name, run = _run_corpus(asker, options)
    whole = options.kinds is None and options.limit is None and not options.generations
    comparison = compare.compare(before, run) if before else None
    fallen = compare.gate(run, comparison, runs.floors(options.gold) if whole else {})
    _print_section("", table.summary(run))
    _print_section("not passed", table.failures(run))
    _print_section("stale", table.stale(run))
    if before and comparison:
        _print_section("", table.changes(comparison, before, run, name))
    _print_section("the gate fell", "\n".join(fallen))
    if whole:
        runs.keep(settings.store, run)
    _write(options, run)
    if options.html:
        trend = [runs.read(path) for path in runs.kept(settings.store)[-TREND:]]
        options.html.write_text(report.render(run, fallen, before, comparison, trend), encoding="utf-8")
    return 1 if fallen and not options.update_baseline else 0


def _write(options: argparse.Namespace, run: Run) -> None:
    if options.json:
        runs.write(options.json, run)
    if options.record:
        figures.record(_title(options.gold), figures.this_command(), table.figures(run))
    if options.update_baseline:
        runs.write(_baseline(options), runs.as_baseline(run))


def _title(questions: Path) -> str:
    """The name of the figures."""
    return (
        "Gold questions on the seeds" if questions == GOLD else f"Questions of {questions.parent.name}/{questions.name}"
    )


def _run_corpus(asker: Asker, options: argparse.Namespace) -> tuple[Run | None, str, Run]:
    """The run to compare with, its name, and a new run on the corpus."""
    assistant = Assistant(asker.settings)
    replaced = assistant.store.current() if options.against == "sync" else None  # held, or the sync may delete it
    earlier, name = (None, "") if options.against == "sync" else _earlier(options, asker.settings)
    synced = assistant.sync(asker.progress)
    for source, reason in synced.skipped:
        print(f"skipped {source}: {reason}", file=sys.stderr)
    run = asker.run_corpus(assistant, synced.chunks)
    if replaced:
        return asker.run_generation(replaced), "the store before this sync", run
    asked = {question.id for question in asker.questions}
    if earlier and (options.kinds or options.limit):
        earlier = earlier | {"questions": [record for record in earlier["questions"] if record["id"] in asked]}
    return earlier, name, run


def _generation(settings: Settings, number: int) -> Generation:
    folder = settings.store / "generations"
    try:
        return Generation(folder / str(number))
    except FileNotFoundError as error:
        there = ", ".join(sorted(path.name for path in folder.glob("*"))) or "none"
        raise GoldError(f"{settings.store} holds no generation {number}; it holds {there}") from error


def _print_section(title: str, text: str) -> None:
    if text:
        print(f"{title}:\n{text}\n" if title else f"{text}\n")


def _chosen(questions: Sequence[gold.Question], options: argparse.Namespace) -> list[gold.Question]:
    kinds = options.kinds.split(",") if options.kinds else {question.kind for question in questions}
    chosen = [question for question in questions if question.kind in kinds][: options.limit]
    if not chosen:
        raise GoldError(f"--kinds and --limit leave nothing of {options.gold}: rag eval --check lists its kinds")
    return chosen


def _earlier(options: argparse.Namespace, settings: Settings) -> tuple[Run | None, str]:
    """The run to compare with and its name; the baseline unless another is asked for, None where there is none."""
    if options.against == "last":
        kept = runs.kept(settings.store)
        if not kept:
            raise GoldError(f"no earlier run in {settings.store}: name a run's JSON with --against")
        return runs.read(kept[-1]), str(kept[-1])
    if options.against:
        return runs.read(Path(options.against)), options.against
    baseline = _baseline(options)
    if options.update_baseline or (options.baseline is None and not baseline.exists()):
        return None, ""
    return runs.read(baseline), str(baseline)


def _baseline(options: argparse.Namespace) -> Path:
    return options.baseline or options.gold.with_name("baseline.json")


def _shown(options: argparse.Namespace) -> Progress:
    """Prints progress to stderr: on one line of a terminal, else a line each where that is asked for."""

    def show(done: int, total: int, what: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{what}: {done}/{total}\033[K", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif options.progress:
            print(f"{what}: {done}/{total}", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
