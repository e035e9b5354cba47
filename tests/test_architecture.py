"""The laws of the layout, read off the imports."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = sorted((ROOT / "rag").glob("*.py"))
GROUND = {"types", "errors", "prompts"}
"""What every room may import of this package."""

JOINERS = {"assistant", "extractive", "generative", "syncing", "cli", "__init__", "__main__", "llamaindex"}
"""The files that join rooms."""

SUITES = (
    {"articles", "layout", "telling", "boilerplate", "dates", "names"},
    {"bylines", "names"},
    {"chunking", "splitting"},
    {"embedding", "weights"},
    {"reader", "weights"},
    {"answering", "quoting", "questions", "facts", "aliases"},
    {"confidence", "questions", "facts"},
    {"llm", "llm_faults"},
    {"store", "generation", "manifest", "vectors", "native", "lexical", "files", "server_store", "lease"},
    {"verification", "facts", "aliases", "roles", "drafting", "replies", "prompting"},
)
"""Rooms of several files: those of one suite may import each other."""

DOORS = {
    "chromadb": {"vectors", "lease", "server_store"},
    "chromadb_rust_bindings": {"native"},
    "tantivy": {"lexical"},
    "onnxruntime": {"weights"},
    "tokenizers": {"weights"},
    "tiktoken": {"llm"},
    "openai": {"llm_faults"},
    "trafilatura": {"articles"},
    "pypdf": {"articles"},
    "pydantic": {"settings"},
    "pydantic_settings": {"settings"},
    "llama_index": {"splitting", "embedding", "llm", "llamaindex", "assistant"},
}
"""Third-party library -> the files that may import it."""


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Modules that a file imports, outside of ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(tree.body) if top_level_only else list(ast.walk(tree))
    hidden = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.walk(node)
    }
    found: set[str] = set()
    for node in nodes:
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" if node.module == "rag" else node.module for alias in node.names}
    return found


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("rag.")}


@pytest.mark.parametrize("name", ["types", "errors", "prompts"])
def test_the_ground_imports_the_standard_library_alone(name: str) -> None:
    outside = {module.split(".")[0] for module in imports(ROOT / f"rag/{name}.py")} - set(sys.stdlib_module_names)
    assert outside <= {"rag"}
    assert rooms_imported(ROOT / f"rag/{name}.py") <= GROUND


@pytest.mark.parametrize("path", [path for path in ROOMS if path.stem not in JOINERS], ids=lambda path: path.stem)
def test_a_room_imports_no_other_room(path: Path) -> None:
    own = set().union(*(suite for suite in SUITES if path.stem in suite))
    assert rooms_imported(path) <= GROUND | own


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.stem)
def test_rag_never_imports_what_stands_on_it(path: Path) -> None:
    tops = {module.split(".")[0] for module in imports(path)}
    assert not tops & {"app", "evals", "training", "gradio", "torch", "transformers"}


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.stem)
def test_one_library_one_door(path: Path) -> None:
    tops = {module.split(".")[0] for module in imports(path)}
    assert {library for library in tops & set(DOORS) if path.stem not in DOORS[library]} == set()


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.stem)
def test_heavy_libraries_are_imported_where_they_are_needed(path: Path) -> None:
    if path.stem == "llamaindex":
        pytest.skip("the adapter subclasses LlamaIndex's classes")
    tops = {module.split(".")[0] for module in imports(path, top_level_only=True)}
    assert not tops & {
        "llama_index",
        "openai",
        "chromadb",
        "chromadb_rust_bindings",
        "trafilatura",
        "pypdf",
        "tantivy",
        "onnxruntime",
    }


@pytest.mark.parametrize("path", [*ROOMS, ROOT / "app.py"], ids=lambda path: path.stem)
def test_no_silent_catch_all(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
            if isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"):
                last = node.body[-1]
                assert isinstance(last, ast.Raise), f"except {node.type.id} without raise in line {node.lineno}"


@pytest.mark.parametrize("path", [path for path in ROOMS if path.stem != "cli"], ids=lambda path: path.stem)
def test_nothing_prints_but_the_command_line(path: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]


def test_only_settings_reads_the_environment() -> None:
    readers = {path.stem for path in ROOMS if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))}
    assert readers <= {"settings", "llm"}  # tiktoken takes its data folder from the environment only
