"""The Articles and Quality tabs as HTML. As in page/render.py, every string from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from evals.compare import compare
from page.corpus import SyncState, Upload
from page.quality import EvalState
from page.render import button
from page.turn import byline, duration
from rag import SyncReport
from rag.types import Metadata

SHOWN = 500
"""Articles that the list shows."""

LISTED = 8
"""Names of a sync report that are spelt out."""

_METRICS = (
    ("accuracy", "Right answers", "of the questions that have an answer"),
    ("citation_precision", "Citation precision", "of the citations are evidence"),
    ("citation_recall", "Citation recall", "of the evidence is cited"),
    ("hit@5", "Found in 5", "evidence among the first five passages"),
    ("declined_unanswerable", "Rightly declined", "of the questions without an answer"),
    ("declined_answerable", "Wrongly declined", "of the questions with an answer"),
)


def articles(known: Mapping[str, Metadata], sizes: Mapping[str, int]) -> str:
    """The list of articles, each with its metadata, which can be edited in place, and a way to remove it."""
    rows = "".join(_article(source, known[source], sizes[source]) for source in sorted(known)[:SHOWN])
    more = f'<p class="hint">… and {len(known) - SHOWN} more.</p>' if len(known) > SHOWN else ""
    empty = "" if known else '<p class="hint">No articles yet. Upload some above.</p>'
    return f'<h2>{len(known)} article{"s" * (len(known) != 1)}</h2>{empty}<ul class="corpus">{rows}</ul>{more}'


def _article(source: str, known: Metadata, size: int) -> str:
    return (
        f'<li><details name="article"><summary><b>{escape(known.title or source)}</b>'
        f'<span class="byline">{escape(byline(known))}</span>'
        f'<span class="file">{escape(source)} · {_size(size)}</span></summary>'
        f"{_metadata_form(source, known)}</details></li>"
    )


def _metadata_form(source: str, known: Metadata) -> str:
    fields = "".join(
        f'<label>{label}<input name="{name}" value="{escape(value)}" maxlength="500" autocomplete="off"{hint}></label>'
        for name, label, value, hint in (
            ("title", "Title", known.title, ""),
            ("authors", "Authors, separated by ;", "; ".join(known.authors), ""),
            ("publisher", "Publisher", known.publisher, ""),
            ("date", "Date", known.date, ' placeholder="YYYY-MM-DD"'),
        )
    )
    read = button("Read", on="select", title=f"Read {source}", source=source)
    remove = button("Remove …", on="input", kind="plain danger", confirm="Remove this article?", source=source)
    return (
        f'<form class="metadata" data-on="submit" data-source="{escape(source)}">{fields}'
        f'<div class="buttons"><button type="submit" class="plain">Save</button>{read}{remove}</div></form>'
    )


def _size(size: int) -> str:
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def sync(state: SyncState, uploads: Sequence[Upload] = ()) -> str:
    """What became of an upload, and how the sync stands."""
    return _uploads(uploads) + _sync(state)


def _uploads(uploads: Sequence[Upload]) -> str:
    if not uploads:
        return ""
    refused = "".join(f"<li>{escape(u.name)}: {escape(u.problem)}</li>" for u in uploads if u.problem)
    saved = sum(not upload.problem for upload in uploads)
    why = f'<dl class="report"><dt>Not saved</dt><dd><ul>{refused}</ul></dd></dl>' if refused else ""
    return f"<p>{saved} file{'s' * (saved != 1)} saved.</p>{why}"


def _sync(state: SyncState) -> str:
    if state.running:
        return progress(state.what, state.done, state.total)
    if state.error:
        rebuild = button("Rebuild the index", on="input", confirm="Rebuild the whole index?")
        return f'<p class="note" role="alert"><strong>The sync failed:</strong> {escape(state.error)}</p>{rebuild}'
    return _report(state.report) if state.report else ""


def progress(what: str, done: int, total: int) -> str:
    """A progress bar with what is going on in words."""
    value = f' value="{done}" max="{total}"' if total else ""
    counted = f" {done} of {total}" if total else ""
    said = escape(f"{what[:1].upper()}{what[1:]}{counted}")
    return f'<label class="progress">{said} <progress{value}></progress></label>'


def _report(report: SyncReport) -> str:
    named = "".join(
        f"<dt>{label}</dt><dd>{escape(_names(names))}</dd>"
        for label, names in (("Added", report.added), ("Changed", report.changed), ("Removed", report.removed))
        if names
    )
    skipped = "".join(f"<li>{escape(source)}: {escape(reason)}</li>" for source, reason in report.skipped)
    why = f"<dt>Skipped</dt><dd><ul>{skipped}</ul></dd>" if skipped else ""
    changes = f'<dl class="report">{named}{why}</dl>' if named or why else ""
    return (
        f'<p role="status">{"Synced" if named else "Nothing new"}: {len(report.unchanged)} unchanged, '
        f"{report.chunks} passages, {duration(report.seconds)}.</p>{changes}"
    )


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def evals(state: EvalState, runs: Sequence[dict[str, Any]]) -> str:
    """The last eval run: metrics, kinds, what changed since the one before, and the questions that failed."""
    if state.running:
        return progress(state.what, state.done, state.total)
    problem = (
        f'<p class="note" role="alert"><strong>No result:</strong> {escape(state.problem)}</p>' if state.problem else ""
    )
    if not runs:
        return f'{problem}<p class="hint">The gold questions haven’t been asked yet.</p>'
    run = runs[0]
    return problem + _headline(run) + _cards(run) + _changes(runs) + _kinds(run) + _failures(run)


def _headline(run: dict[str, Any]) -> str:
    corpus = run["corpus"]
    when = str(run.get("when", "")).replace("T", " ")[:16]
    asked = f"{len(run['questions'])} gold questions on {corpus['articles']} articles"
    by = f"answered by {run['answerer']}, {when}"
    return f'<p class="hint">{escape(asked)}, {escape(by)}</p>'


def _cards(run: dict[str, Any]) -> str:
    metrics = run["metrics"]
    cards = [
        _card(_percent(metrics[name]), label, what) for name, label, what in _METRICS if metrics.get(name) is not None
    ]
    if metrics.get("inexact_citations") is not None:
        cards.append(_card(f"{metrics['inexact_citations']}", "Inexact citations", "not word for word in the article"))
    if metrics.get("p50_seconds") is not None:
        within = f"95 % within {duration(metrics['p95_seconds'])}"
        cards.append(_card(duration(metrics["p50_seconds"]), "Median time", within))
    return f'<ul class="cards">{"".join(cards)}</ul>'


def _card(figure: str, label: str, what: str) -> str:
    return f'<li><span class="figure">{figure}</span><b>{label}</b><span class="hint">{what}</span></li>'


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _changes(runs: Sequence[dict[str, Any]]) -> str:
    if len(runs) < 2:
        return ""
    found = compare(runs[1], runs[0])
    asked = {record["id"]: record["question"] for run in reversed(runs) for record in run["questions"]}
    lines = "".join(
        f"<dt>{label}</dt><dd><ul>{''.join(f'<li>{escape(asked[name])}</li>' for name in names)}</ul></dd>"
        for label, names in (
            ("Better", found.better),
            ("Worse", found.worse),
            ("Stale", found.stale),
            ("New", found.new),
            ("Gone", found.gone),
        )
        if names
    )
    told = f'<dl class="report">{lines}</dl>' if lines else '<p class="hint">Every question came out the same.</p>'
    return f"<h2>Since the run before</h2>{told}"


def _kinds(run: dict[str, Any]) -> str:
    rows = "".join(_kind(name, found) for name, found in run["kinds"].items())
    head = '<tr><th scope="col">Kind</th><th scope="col"></th><th scope="col">Passed</th><th scope="col"></th></tr>'
    return f"<h2>By kind of question</h2><table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _kind(name: str, found: Mapping[str, Any]) -> str:
    meter = f'<meter min="0" max="1" value="{found["share"] or 0:.3f}" aria-hidden="true"></meter>'
    return (
        f'<tr><th scope="row">{escape(name)}</th><td>{meter}</td><td>{_percent(found["share"])}</td>'
        f"<td>{found['passed']} of {found['scored']}</td></tr>"
    )


def _failures(run: dict[str, Any]) -> str:
    failed = [record for record in run["questions"] if record["passed"] is False]
    unscored = [record for record in run["questions"] if record["passed"] is None]
    none = "" if failed else "<h2>No question failed</h2>"
    return none + _records(failed, "failing question") + _records(unscored, "unscored question")


def _records(records: Sequence[dict[str, Any]], what: str) -> str:
    if not records:
        return ""
    listed = "".join(_failure(record) for record in records)
    return f'<h2>{len(records)} {what}{"s" * (len(records) != 1)}</h2><ul class="corpus">{listed}</ul>'


def _failure(record: dict[str, Any]) -> str:
    expected = "; ".join([*record.get("answers", ()), *record.get("must", ())]) or "to decline"
    return (
        f"<li><details><summary><b>{escape(record['question'])}</b>"
        f'<span class="byline">{escape("; ".join(record["problems"]))}</span></summary><dl class="report">'
        f"<dt>Answered</dt><dd>{escape(record['answer'] or 'nothing')}</dd>"
        f"<dt>Expected</dt><dd>{escape(expected)}</dd>"
        f"<dt>Evidence</dt><dd>{_evidence(record.get('evidence', ()))}</dd></dl></details></li>"
    )


def _evidence(quotes: Iterable[Mapping[str, Any]]) -> str:
    return (
        "".join(f"<q>{escape(q['quote'])}</q> <span class='file'>{escape(q['source'])}</span>" for q in quotes)
        or "none"
    )


def feedback(records: Sequence[dict[str, Any]], drafts: Sequence[dict[str, Any]]) -> str:
    """What people said of answers, newest first, and the drafts of gold questions that wait."""
    if not records and not drafts:
        return '<h2>Feedback</h2><p class="hint">Nobody has rated an answer yet.</p>'
    good = sum(record["rating"] == "up" for record in records)
    rows = "".join(
        f"<li><details><summary><b>{escape(record['question'])}</b>"
        f'<span class="byline">{"Helpful" if record["rating"] == "up" else "Not helpful"}'
        f"{escape(': ' + record['comment'] if record['comment'] else '')}</span></summary>"
        f"<p>{escape(record['answer'])}</p></details></li>"
        for record in records[:50]
    )
    waiting = (
        f"{len(drafts)} draft{'s' * (len(drafts) != 1)} of gold questions wait to be finished in gold_drafts.jsonl."
    )
    return (
        f'<h2>Feedback</h2><p class="hint">{good} of {len(records)} rated answers helped. {waiting}</p>'
        f'<ul class="corpus">{rows}</ul>'
    )
