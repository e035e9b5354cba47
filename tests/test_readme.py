"""What the README promises exists."""

from __future__ import annotations

import re
import tomllib

import pytest

from rag.settings import Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\]\(([^)#:]+)\)|`((?:seeds|evals|tests|docs|training)/[\w./-]+)`", README)))
)
def test_linked_files_exist(path: tuple[str, str]) -> None:
    assert (ROOT / (path[0] or path[1])).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake (\w+)", README)) - {"and"}))
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bRAG_([A-Z_]+[A-Z])", README))))
def test_named_settings_exist(name: str) -> None:
    assert name.lower() in Settings.model_fields


def test_the_figures_come_from_a_command() -> None:
    table = README.split("<!-- figures -->")[1].split("<!-- /figures -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert rows
    assert all("`" in row for row in rows), "each row names the command that prints it"


def test_each_dependency_is_justified() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    lines = text.splitlines()
    for requirement in wanted:
        line = next(line for line in lines if f'"{requirement}"' in line)
        assert "#" in line, f"{requirement} has no reason"
