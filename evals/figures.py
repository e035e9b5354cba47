"""Runs the benchmarks and writes what they measured into the README, so that no figure is ever typed by hand.

    python -m evals.figures --data DATA     runs every benchmark whose data is there, then writes the table
    python -m evals.figures --table         writes the table from what was recorded before

A benchmark calls ``record`` with what it measured when it is run with ``--record``; figures.json keeps it, with date
and machine. The benchmarks' data isn't part of this repository.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("figures.json")
README = Path(__file__).parent.parent / "README.md"
BENCHMARKS = {
    "Gold questions on the seeds": ("evals.run", "--record"),
    "Questions of unseen/gold.jsonl": ("evals.run", "--record", "--gold", "evals/unseen/gold.jsonl"),
    "SQuAD 2.0 dev, the paragraph given": ("evals.squad", "--limit", "1000", "--data", "{data}/squad/dev-v2.0.json"),
    "SQuAD 2.0 dev, all paragraphs are the corpus": (
        *("evals.squad", "--open", "--limit", "200", "--data", "{data}/squad/dev-v2.0.json"),
    ),
    "CLAP NQ dev, the passage given": ("evals.clapnq", "--data", "{data}/clapnq"),
    "Verification of an LLM's sentences": ("evals.verification", "--data", "{data}"),
    "Time to an LLM's first sentence, apart from the LLM's own": ("evals.latency",),
    "Speed and growth": ("evals.speed", "--data", "{data}", "--work", "build/speed", "--record"),
}
"""What is measured: name -> module and arguments. What doesn't take ``--record`` is recorded as it prints."""

_BETWEEN = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.S)


def record(name: str, command: str, values: Mapping[str, str | float], path: Path = FIGURES) -> None:
    """Keep what a benchmark measured, in the place of what it measured before. ``values`` maps labels to figures."""
    kept = [entry for entry in _recorded(path) if entry["name"] != name]
    today = datetime.now(UTC).date().isoformat()
    entry = {"name": name, "command": command, "date": today, "machine": machine(), "values": dict(values)}
    path.write_text(json.dumps([*kept, entry], ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def record_lines(name: str, command: str, text: str, path: Path = FIGURES) -> None:
    """Keep what a benchmark printed: each line a figure, its label what stands before two spaces or a colon."""
    parts = [re.split(r"\s{2,}|:\s", line.strip(), maxsplit=1) for line in text.splitlines() if line.strip()]
    record(name, command, {part[0]: " ".join(part[-1].split()) if part[1:] else "" for part in parts}, path)


def this_command() -> str:
    """The command that is running, for ``record``; of a path only the name is told."""
    spec = sys.modules["__main__"].__spec__
    arguments = [Path(argument).name if "/" in argument else argument for argument in sys.argv[1:]]
    shown = [argument for argument in arguments if argument != "--record"]
    return " ".join(["python -m", spec.name if spec else Path(sys.argv[0]).name, *shown])


def machine() -> str:
    """The processor, how many cores of it this process may use, and the Python that runs."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = re.search(r"model name\s*: (.+)", _read(Path("/proc/cpuinfo")))
    name = found[1] if found else platform.processor() or platform.machine()
    return f"{cores} cores of {name}, Python {platform.python_version()}"


def table(entries: Sequence[Mapping[str, Any]]) -> str:
    """The recorded figures as a Markdown table."""
    rows = ["| what | figures | command | date, machine |", "| --- | --- | --- | --- |"]
    for entry in sorted(entries, key=lambda entry: entry["name"]):
        values = "<br>".join(f"{label} {_shown(value)}" for label, value in entry["values"].items())
        rows.append(f"| {entry['name']} | {values} | `{entry['command']}` | {entry['date']}, {entry['machine']} |")
    return "\n".join(rows) + "\n"


def write_table(readme: Path = README, path: Path = FIGURES) -> None:
    """Put the table between the two figures marks of the README."""
    text = readme.read_text(encoding="utf-8")
    replaced, count = _BETWEEN.subn(lambda _: table(_recorded(path)), text)
    if count != 1:
        raise SystemExit(f"{readme.name} lacks the lines <!-- figures --> and <!-- /figures -->")
    readme.write_text(replaced, encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks; returns 1 if one of them failed, else 0."""
    parser = argparse.ArgumentParser(prog="evals.figures", description="Run the benchmarks, write the README's table.")
    parser.add_argument("--data", type=Path, help="folder of the public data sets; without it, those are left out")
    parser.add_argument("--only", help="those whose name holds these words")
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args(argv)
    failed = False
    for name, (module, *arguments) in () if options.table else BENCHMARKS.items():
        if options.only and options.only not in name:
            continue
        filled = [argument.format(data=options.data) for argument in arguments]
        if options.data is None and any("{data}" in argument for argument in arguments):
            print(f"{name}: left out, its data isn't there (--data)", file=sys.stderr)
            continue
        failed |= not _measured(name, module, filled)
    write_table()
    return int(failed)


def _measured(name: str, module: str, arguments: Sequence[str]) -> bool:
    """Run one benchmark and record what it prints; whether it went well."""
    print(f"python -m {module} {' '.join(arguments)}", file=sys.stderr)
    keeps = "--record" in arguments
    run = subprocess.run(
        [sys.executable, "-m", module, *arguments], check=False, text=True, stdout=None if keeps else subprocess.PIPE
    )
    if keeps or run.returncode:
        return run.returncode == 0
    print(run.stdout)
    shown = [Path(argument).name if "/" in argument else argument for argument in arguments]
    record_lines(name, f"python -m {module} {' '.join(shown)}", run.stdout)
    return True


def _recorded(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
