"""Runs on disk: plain JSON, one file each, kept beside the index; and the baseline and the floors of a gold file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.compare import Run
from rag.errors import GoldError

KEPT = 100
"""Earlier runs that are kept; older ones are deleted."""


def read(path: Path) -> Run:
    """A run that ``write`` wrote. GoldError if the file is something else."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        _ = run["corpus"]["fingerprint"], run["answerer"], run["metrics"]
        _ = [(record["id"], record["question"], record["passed"], record["answer"]) for record in run["questions"]]
    except (ValueError, KeyError, TypeError) as error:
        raise GoldError(f"{path} is not a run written by rag eval --json") from error
    return run


def write(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that reads well in a diff."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def kept(store: Path) -> list[Path]:
    """The runs that were kept beside this index, oldest first."""
    return sorted((store / "evals").glob("*.json"))


def keep(store: Path, run: Run) -> None:
    """Keep a run for the trend and for later comparison."""
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%f")
    write(store / "evals" / f"{name}.json", run)
    for old in kept(store)[:-KEPT]:
        old.unlink()


def as_baseline(run: Run) -> Run:
    """The part of a run that later ones are compared with; without timings, so that it only changes for a reason."""
    fields = ("id", "kind", "question", "passed", "answered", "short", "answer")
    metrics = {name: value for name, value in run["metrics"].items() if not name.endswith("_seconds")}
    return {
        "when": run["when"],
        "corpus": run["corpus"],
        "answerer": run["answerer"],
        "metrics": metrics,
        "questions": [{name: record[name] for name in fields} for record in run["questions"]],
    }


def floors(gold: Path) -> Mapping[str, float]:
    """``[tool.rag.evals]`` of the nearest pyproject.toml at or above the gold file; empty without one."""
    for folder in gold.resolve().parents:
        if (folder / "pyproject.toml").is_file():
            return _floors_in(folder / "pyproject.toml")
    return {}


def _floors_in(pyproject: Path) -> Mapping[str, float]:
    try:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise GoldError(f"{pyproject} holds the floors, and is broken: {error}") from error
    floors = project.get("tool", {}).get("rag", {}).get("evals", {})
    for name, floor in floors.items():
        if not isinstance(floor, int | float):
            raise GoldError(f"{pyproject}: the floor {name} must be a number")
    return floors
