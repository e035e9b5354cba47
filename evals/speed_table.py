"""Figures of speed.json -> a table for the terminal, and a row for the README."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from evals.figures import machine

Figures = dict[str, float]

GOALS = {
    "answer p50 ms": (250, 100),
    "retrieve p50 ms": (30, 10),
    "unchanged s": (5, 1),
    "one changed s": (5, 1),
    "sync peak MB": (1500, 600),
}
"""What the largest size must reach, and what it should."""

STOCK_GOALS = (2, 4)


def shown(figures: Mapping[str, Figures]) -> str:
    """A column for each size, and the two columns of what must and what should be reached."""
    columns = [(f"{chunks:,}", column(figures, size)) for size, chunks in sizes(figures)]
    labels = list(dict.fromkeys(label for _, cells in columns for label in cells))
    lines = [_line("chunks", [name for name, _ in columns], "must", "goal")]
    for label in labels:
        cells = [_number(cells[label]) if label in cells else "" for _, cells in columns]
        lines.append(_line(label, cells, *map(str, GOALS.get(label, ("", "")))))
    if "stock" in figures:
        wall, cpu = ratios(figures["stock"])
        lines += ["", _line("times stock's chunks a second", [_number(wall)], *map(str, STOCK_GOALS))]
        lines.append(_line("times stock's chunks a CPU second", [_number(cpu)], "", ""))
    return "\n".join(lines)


def write_table(page: Path, figures: Mapping[str, Figures]) -> None:
    """Put the table between the two speed marks of a Markdown page."""
    before, start, rest = page.read_text(encoding="utf-8").partition("<!-- speed -->\n")
    _, end, after = rest.partition("<!-- /speed -->\n")
    if not (start and end):
        raise SystemExit(f"{page.name} lacks the lines <!-- speed --> and <!-- /speed -->")
    table = f"```\n{shown(figures)}\n```\nMeasured {date.today()} on {machine()}.\n\n"
    page.write_text(f"{before}{start}{table}{end}{after}", encoding="utf-8")


def values(figures: Mapping[str, Figures]) -> dict[str, str]:
    """The same in words: a label for the comparison with stock, and one for each size."""
    told = {}
    if "stock" in figures:
        wall, cpu = ratios(figures["stock"])
        told["sync against stock LlamaIndex and Chroma:"] = (
            f"{wall:.1f} times the chunks a second, {cpu:.1f} times a CPU second"
        )
    for size, chunks in sizes(figures):
        cells = column(figures, size).items()
        told[f"{chunks:,} chunks:"] = ", ".join(f"{label} {_number(value)}" for label, value in cells)
    return told


def sizes(figures: Mapping[str, Figures]) -> list[tuple[str, int]]:
    """(size asked for, chunks there are), smallest first."""
    asked = sorted({name.partition(" ")[2] for name in figures if " " in name}, key=int)
    return [(size, int(figures.get(f"sync {size}", {}).get("chunks", int(size)))) for size in asked]


def column(figures: Mapping[str, Figures], size: str) -> Figures:
    """What was measured at one size, under the names of the table."""
    sync, unchanged, changed, queries, start = (
        figures.get(f"{step} {size}", {}) for step in ("sync", "unchanged", "changed", "queries", "start")
    )
    cells: Figures = {}
    if sync:
        cells = {"articles": sync["articles"], "sync s": sync["seconds"], "sync CPU s": sync["CPU seconds"]}
        cells |= {"sync chunks/s": sync["chunks"] / sync["seconds"], "sync peak MB": sync["peak MB"]}
        cells["disk MB"] = sync["disk MB"]
    for label, figure in (("unchanged", unchanged), ("one changed", changed), ("start to answer", start)):
        if figure:
            cells |= {f"{label} s": figure["seconds"], f"{label} CPU s": figure["CPU seconds"]}
    return cells | {name: value for name, value in queries.items() if name.endswith("ms")}


def ratios(stock: Figures) -> tuple[float, float]:
    """How many times the stock pipeline's chunks a second, and a CPU second, ours makes."""
    rates = [
        (stock["ours chunks"] / stock[f"ours {unit}"]) / (stock["stock chunks"] / stock[f"stock {unit}"])
        for unit in ("seconds", "CPU seconds")
    ]
    return rates[0], rates[1]


def _line(label: str, cells: list[str], must: str, goal: str) -> str:
    return f"{label:34}" + "".join(f"{cell:>12}" for cell in cells) + f"{must:>10}{goal:>8}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
