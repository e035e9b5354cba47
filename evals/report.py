"""A run as one HTML page: no script, no request, every text escaped. Reads the plain JSON of runs only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from evals import charts
from evals.compare import COUNTED_DOWN, Comparison, Run
from evals.markup import Html, element, join
from evals.table import RATES, tokens

Record = Mapping[str, Any]

_TILES = (
    "accuracy",
    "declined_unanswerable",
    "declined_answerable",
    "citation_precision",
    "citation_recall",
    "hit@5",
    "mrr@10",
    "short_accuracy",
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_CHANGES = ("better", "worse", "stale", "new", "gone")


def render(
    run: Run, fallen: Sequence[str], before: Run | None, comparison: Comparison | None, trend: Sequence[Run]
) -> str:
    """The page. ``fallen`` is why the gate fell, ``before`` the run compared with, ``trend`` earlier runs and this
    one, oldest first."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", f"Evals {run['when']}"),
        element("style", Html(style)),
    )
    body = [
        _heading(run),
        _verdict(fallen),
        _tiles(run, before, trend),
        _changes(comparison) if comparison and before else Html(),
        _kinds(run),
        _plots(run),
        _questions(run, before, comparison),
    ]
    page = element("html", head, element("body", element("main", join(body))), lang="en")
    return f"<!doctype html>\n{page}\n"


def _heading(run: Run) -> Html:
    corpus, unscored = run["corpus"], sum(record["passed"] is None for record in run["questions"])
    about = (
        f"{len(run['questions'])} questions ({unscored} unscored) on {corpus['articles']} articles in"
        f" {corpus['chunks']} chunks, corpus {corpus['fingerprint']}; answered by {run['answerer']}; {run['when']}"
    )
    if run["usage"]:
        about += f"; {tokens(run['usage'])}"
    return join([element("h1", "Evals"), element("p", about, class_="soft")])


def _verdict(fallen: Sequence[str]) -> Html:
    if not fallen:
        return element("div", "The gate stands.", class_="verdict")
    reasons = [element("li", reason) for reason in fallen]
    return element("div", element("p", "The gate fell:"), element("ul", *reasons), class_="verdict fallen")


def _tiles(run: Run, before: Run | None, trend: Sequence[Run]) -> Html:
    tiles = [_tile(name, run, before, trend) for name in _TILES if run["metrics"][name] is not None]
    note = "Bars show the share, the whisker its 95 % bootstrap interval; the line is the course over earlier runs."
    return join([element("div", *tiles, class_="tiles"), element("p", note, class_="soft")])


def _tile(name: str, run: Run, before: Run | None, trend: Sequence[Run]) -> Html:
    value, (low, high) = run["metrics"][name], run["intervals"][name]
    course = [known for earlier in trend if (known := earlier["metrics"].get(name)) is not None]
    span = f"{100 * low:.1f} to {100 * high:.1f}, n = {run['counts'][name]}"
    return element(
        "div",
        element("h3", RATES[name]),
        element("b", f"{100 * value:.1f} %", _delta(name, value, before)),
        charts.interval_bar(value, (low, high), span),
        element("div", span, class_="soft"),
        charts.sparkline(course, f"the last {len(course)} runs") if len(course) > 1 else "",
        class_="tile",
    )


def _delta(name: str, value: float, before: Run | None) -> Html:
    earlier = before["metrics"].get(name) if before else None
    if earlier is None or round(100 * (value - earlier), 1) == 0:
        return Html()
    better = (value > earlier) != (name in COUNTED_DOWN)
    return element("span", f"{100 * (value - earlier):+.1f}", class_=f"delta {'up' if better else 'down'}")


def _changes(comparison: Comparison) -> Html:
    rows = []
    for name in _CHANGES:
        ids = getattr(comparison, name)
        links = [element("a", id, href=f"#{id}") if name != "gone" else element("span", id) for id in ids]
        cells = (element("td", str(len(ids)), class_="number"), element("td", name), element("td", join(links, " ")))
        rows.append(element("tr", *cells))
    notes = ["Stale: the evidence no longer stands in the corpus."] if comparison.stale else []
    if comparison.better or comparison.worse:
        notes.append(f"Chance alone makes as many of the changed outcomes worse with p = {comparison.chance:.3f}.")
    return join(
        [
            element("h2", "What changed"),
            element("table", *rows, class_="changes"),
            element("p", " ".join(notes), class_="soft"),
        ]
    )


def _kinds(run: Run) -> Html:
    head = [element("th", "kind"), element("th", "scored", class_="number"), element("th", "right", class_="number")]
    rows = [element("tr", *head, element("th", "", class_="wide"), element("th", "95 % interval", class_="number"))]
    for kind, row in run["kinds"].items():
        if row["share"] is None:
            continue
        span = f"{100 * row['interval'][0]:.0f} to {100 * row['interval'][1]:.0f}"
        cells = [
            element("td", kind),
            element("td", str(row["scored"]), class_="number"),
            element("td", f"{100 * row['share']:.1f} %", class_="number"),
            element("td", charts.interval_bar(row["share"], row["interval"], span), class_="wide"),
            element("td", span, class_="number"),
        ]
        rows.append(element("tr", *cells))
    return join([element("h2", "By kind"), element("table", *rows)])


def _plots(run: Run) -> Html:
    metrics, plots = run["metrics"], []
    if run["reliability"]:
        label = f"Calibration: Brier score {metrics['brier']:.3f}, expected calibration error {metrics['ece']:.3f}"
        plots.append(element("div", element("h3", label), charts.reliability(run["reliability"]), class_="card"))
    seconds = [record["seconds"] for record in run["questions"] if record["seconds"] is not None]
    if seconds:
        chart = charts.latency(seconds, metrics["p50_seconds"], metrics["p95_seconds"])
        plots.append(element("div", element("h3", "Latency"), chart, class_="card"))
    return join([element("h2", "Confidence and speed"), element("div", *plots, class_="columns")])


def _questions(run: Run, before: Run | None, comparison: Comparison | None) -> Html:
    earlier = {record["id"]: record for record in before["questions"]} if before else {}
    changed = {*comparison.better, *comparison.worse, *comparison.stale, *comparison.new} if comparison else set()
    choices = [("all", "all"), ("failed", "not passed"), ("changed", "changed")][: 3 if comparison else 2]
    inputs = [
        element("label", element("input", type="radio", name="show", id=id, checked="" if id == "all" else None), label)
        for id, label in choices
    ]
    items = [_question(record, earlier.get(record["id"]), record["id"] in changed) for record in run["questions"]]
    return join([element("h2", "Question by question"), element("div", *inputs, class_="filter"), *items])


def _question(record: Record, earlier: Record | None, changed: bool) -> Html:
    outcome = {True: "passed", False: "failed", None: "unscored"}[record["passed"]]
    status = "stale" if record["stale"] else outcome
    head = element(
        "summary",
        element("span", status, class_="status"),
        element("span", record["question"]),
        element("span", f"{record['kind']} · {record['id']}", class_="soft"),
    )
    history = [element("p", f"“{asked}” — {answered}", class_="soft") for asked, answered in record["history"]]
    problems = [element("li", problem) for problem in record["problems"]]
    columns = element("div", _answer(record, earlier), _gold(record), class_="columns")
    inside = element("div", *history, element("ul", *problems) if problems else "", columns, class_="inside")
    return element("details", head, inside, id=record["id"], class_=f"{status}{' changed' if changed else ''}")


def _answer(record: Record, earlier: Record | None) -> Html:
    parts = [element("h3", "Answer"), element("p", record["answer"] or "none", class_="answer")]
    if record["short"]:
        parts.append(element("p", f"In a few words: {record['short']}"))
    if record["reason"]:
        parts.append(element("p", f"Declined: {record['reason']}", class_="soft"))
    spans = [(quote["source"], *span) for quote in record["evidence"] for span in quote["spans"]]
    parts += [_quote(f"[{c['number']}] ", c["source"], c["quote"], c["start"], spans) for c in record["citations"]]
    if record["seconds"] is not None:
        measures = [f"confidence {record['confidence']:.2f}", f"{record['seconds']:.3f} s"]
        measures += [f"evidence in passage {record['rank']}"] if record["rank"] else []
        measures += [f"token F1 {record['f1']:.2f}"] if record["f1"] is not None else []
        measures += [tokens(record["usage"])] if record["usage"] else []
        parts.append(element("p", " · ".join(measures), class_="soft"))
    if earlier and earlier["answer"] != record["answer"]:
        parts += [element("h3", "Answer before"), element("p", earlier["answer"], class_="answer soft")]
    return element("div", *parts)


def _gold(record: Record) -> Html:
    if not record["answerable"]:
        return element("div", element("h3", "Expected"), element("p", "The articles don't say."))
    expected = [element("li", " | ".join(record["answers"]))] if record["answers"] else []
    expected += [element("li", f"must say {' or '.join(part.split('|'))}") for part in record["must"]]
    cited = [(c["source"], c["start"], c["end"]) for c in record["citations"]]
    quotes = [
        _quote("", quote["source"], quote["quote"], quote["spans"][0][0], cited) if quote["spans"] else _vanished(quote)
        for quote in record["evidence"]
    ]
    return element("div", element("h3", "Expected"), element("ul", *expected), element("h3", "Gold evidence"), *quotes)


def _quote(label: str, source: str, text: str, start: int, spans: Sequence[tuple[str, int, int]]) -> Html:
    """A quote that starts at ``start`` of its article, with what it shares with the spans marked."""
    shared = [
        (max(begin - start, 0), min(end - start, len(text)))
        for other, begin, end in spans
        if other == source and begin < start + len(text) and end > start
    ]
    parts, at = [], 0
    for begin, end in sorted(shared):
        parts += [text[at : max(at, begin)], element("mark", text[max(at, begin) : max(at, end)])]
        at = max(at, end)
    return element("blockquote", *parts, text[at:], element("cite", f"{label}{source}"))


def _vanished(quote: Mapping[str, Any]) -> Html:
    """Evidence that is gone, with what became of it word by word."""
    now = quote["nearest"]
    if now is None:
        note = f"{quote['source']}: gone, and nothing like it stands in the corpus"
        return element("blockquote", element("del", quote["quote"]), element("cite", note))
    old, new = quote["quote"].split(), now["text"].split()
    parts = []
    for change, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if change == "equal":
            parts.append(" ".join(old[i:j]) + " ")
            continue
        parts += [element("del", " ".join(old[i:j])), " "] if j > i else []
        parts += [element("ins", " ".join(new[k:m])), " "] if m > k else []
    return element("blockquote", *parts, element("cite", f"{now['source']}, as it now reads"))
