"""Small charts as inline SVG, in the colours of the page around them. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evals.markup import Html, element, join

_WIDTH, _HEIGHT = 420, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 16, 40
_HISTOGRAM_BINS = 24


def interval_bar(share: float, interval: Sequence[float] | None, title: str) -> Html:
    """A share between 0 and 1 as a bar, its interval as a whisker."""
    low, high = interval or (share, share)
    return element(
        "svg",
        element("title", title),
        element("rect", class_="track", width=100, height=8, rx=2),
        element("rect", class_="fill", width=round(100 * share, 2), height=8, rx=2),
        element("rect", class_="whisker", x=round(100 * low, 2), y=3, width=round(100 * (high - low), 2), height=2),
        class_="bar",
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        role="img",
    )


def sparkline(values: Sequence[float], title: str) -> Html:
    """The course of a share over runs, oldest first, on a scale from 0 to 1."""
    step = 100 / max(1, len(values) - 1)
    points = [f"{number * step:.1f},{22 - 20 * value:.1f}" for number, value in enumerate(values)]
    return element(
        "svg",
        element("title", title),
        element("line", class_="grid", x1=0, y1=22, x2=100, y2=22),
        element("line", class_="grid", x1=0, y1=2, x2=100, y2=2),
        element("polyline", points=" ".join(points)),
        class_="spark",
        viewBox="0 0 100 24",
        preserveAspectRatio="none",
        role="img",
    )


def reliability(bins: Sequence[Mapping[str, Any]]) -> Html:
    """Confidence against the share that was right; the area of a dot is the number of answers."""
    most = max((row["count"] for row in bins), default=1)
    dots = [
        element(
            "circle",
            element("title", f"{row['count']} answers: confidence {row['confidence']:.2f}, right {row['right']:.2f}"),
            class_="dot",
            cx=_x(row["confidence"]),
            cy=_y(row["right"]),
            r=round(3 + 9 * (row["count"] / most) ** 0.5, 1),
        )
        for row in bins
    ]
    diagonal = element("line", class_="guide", x1=_x(0), y1=_y(0), x2=_x(1), y2=_y(1))
    ticks = [(tick / 5, f"{tick / 5:.1f}") for tick in range(6)]
    return _plot([diagonal, *dots], ticks, ticks, "confidence", "share right")


def latency(seconds: Sequence[float], p50: float, p95: float) -> Html:
    """A histogram of seconds an answer, with the median and the 95th percentile marked."""
    longest = max(seconds) or 1.0
    counts = [0] * _HISTOGRAM_BINS
    for value in seconds:
        counts[min(int(value / longest * _HISTOGRAM_BINS), _HISTOGRAM_BINS - 1)] += 1
    most = max(counts)
    width = (_x(1) - _x(0)) / _HISTOGRAM_BINS
    columns = [
        element(
            "rect",
            element("title", f"{count} answers in {number * longest / _HISTOGRAM_BINS:.3f} s and more"),
            class_="column",
            x=round(_x(number / _HISTOGRAM_BINS) + 1, 1),
            y=_y(count / most),
            width=round(width - 2, 1),
            height=round(_y(0) - _y(count / most), 1),
        )
        for number, count in enumerate(counts)
        if count
    ]
    marks = [
        mark
        for name, value, row in (("p50", p50, 0), ("p95", p95, 1))
        for mark in _marker(value / longest, f"{name} {value:.3f} s", row)
    ]
    across = [(tick / 4, f"{longest * tick / 4:.2g}") for tick in range(5)]
    return _plot([*columns, *marks], across, [(0, "0"), (1, str(most))], "seconds", "answers")


def _marker(share: float, label: str, row: int) -> list[Html]:
    side = "end" if share > 0.6 else "start"
    at = _x(share) + (-5 if side == "end" else 5)
    return [
        element("line", class_="marker", x1=_x(share), y1=_y(0), x2=_x(share), y2=_y(1)),
        element("text", label, class_="strong", x=at, y=_y(1) + 10 + 15 * row, text_anchor=side),
    ]


def _plot(
    content: Sequence[Html],
    across: Sequence[tuple[float, str]],
    up: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
) -> Html:
    """Axes with (position from 0 to 1, label) ticks around the content."""
    grid = [element("line", class_="grid", x1=_x(0), y1=_y(at), x2=_x(1), y2=_y(at)) for at, _ in up]
    labels = [
        element("text", text, x=_x(at), y=_y(0) + 15, text_anchor="end" if at == 1 else "middle") for at, text in across
    ]
    labels += [element("text", text, x=_x(0) - 6, y=_y(at) + 4, text_anchor="end") for at, text in up]
    labels.append(element("text", x_label, x=_x(0.5), y=_HEIGHT - 4, text_anchor="middle"))
    labels.append(
        element("text", y_label, x=0, y=0, text_anchor="middle", transform=f"translate(11 {_y(0.5)}) rotate(-90)")
    )
    title = element("title", f"{y_label} by {x_label}")
    return element("svg", title, join([*grid, *labels, *content]), class_="plot", viewBox=f"0 0 {_WIDTH} {_HEIGHT}")


def _x(share: float) -> float:
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(share: float) -> float:
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)
