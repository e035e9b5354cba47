"""The corpus folder as the page edits it: what may come in, what may go, and metadata.toml."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from page import corpus
from page.corpus import Sync, safe_name, save_metadata, save_uploads
from rag import RagError, SyncReport

REPORT = SyncReport((), (), (), (), (), 0, 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "old.txt").write_text("the old text", encoding="utf-8")
    return folder


def uploaded(folder: Path, name: str, content: str = "new text") -> Path:
    path = folder.parent / "uploads" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.txt", "report.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\evil.md", "evil.md"),
        (".hidden.txt", "hidden.txt"),
        ("...", "article"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ('we<ird>:"|?*.pdf', "we_ird______.pdf"),
        ("Ünïcode – ok.txt", "Ünïcode – ok.txt"),
        ("x" * 300 + ".html", "x" * 120 + ".html"),
    ],
)
def test_names_are_cut_to_something_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_an_upload_becomes_an_article_and_leaves_no_copy(folder: Path) -> None:
    path = uploaded(folder, "new.txt")
    assert save_uploads(folder, [path], overwrite=False) == [corpus.Upload("new.txt")]
    assert (folder / "new.txt").read_text(encoding="utf-8") == "new text"
    assert not path.exists()
    assert files(folder) == ["new.txt", "old.txt"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("metadata.toml", "x", "can be articles"),
        ("run.exe", "x", "can be articles"),
        ("page.svg", "x", "can be articles"),
        ("empty.txt", "", "empty"),
        ("old.txt", "x", "exists"),
        ("large.txt", "x" * 101, "larger"),
    ],
)
def test_what_is_no_article_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, problem: str
) -> None:
    monkeypatch.setattr(corpus, "MAX_BYTES", 100)
    [upload] = save_uploads(folder, [uploaded(folder, name, content)], overwrite=False)
    assert problem in upload.problem
    assert files(folder) == ["old.txt"]
    assert (folder / "old.txt").read_text(encoding="utf-8") == "the old text"


def test_an_article_is_replaced_only_on_request(folder: Path) -> None:
    [upload] = save_uploads(folder, [uploaded(folder, "old.txt", "replaced")], overwrite=True)
    assert upload.problem == ""
    assert (folder / "old.txt").read_text(encoding="utf-8") == "replaced"


def test_an_upload_never_follows_a_link(folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("precious", encoding="utf-8")
    (folder / "link.txt").symlink_to(outside)
    [upload] = save_uploads(folder, [uploaded(folder, "link.txt")], overwrite=True)
    assert "link" in upload.problem
    assert outside.read_text(encoding="utf-8") == "precious"


def test_a_removed_article_is_kept_elsewhere(folder: Path) -> None:
    kept = folder.parent / "removed"
    corpus.remove(folder, kept, "old.txt")
    assert files(folder) == []
    assert [path.read_text(encoding="utf-8") for path in kept.rglob("old.txt")] == ["the old text"]


@pytest.mark.parametrize(
    "source", ["../outside.txt", "missing.txt", "", ".", "link.txt", "linked/outside.txt", "metadata.toml"]
)
def test_only_files_of_the_corpus_can_be_removed(folder: Path, source: str) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("precious", encoding="utf-8")
    (folder / "link.txt").symlink_to(outside)
    (folder / "linked").symlink_to(folder.parent)
    (folder / "metadata.toml").touch()
    with pytest.raises(RagError, match="no such article"):
        corpus.remove(folder, folder.parent / "removed", source)
    assert outside.exists()


def test_an_absolute_name_leads_nowhere(folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("precious", encoding="utf-8")
    with pytest.raises(RagError, match="no such article"):
        corpus.remove(folder, folder.parent / "removed", str(outside))
    assert outside.exists()


TOML = """# What is known of them.

["a.txt"]
title = "A"  # as printed
authors = ["One", "Two"]

# b is a report
["b.txt"]
title = "B"
date = "2020"
"""


def test_an_entry_is_edited_and_the_rest_stays_as_it_stands(folder: Path) -> None:
    (folder / "metadata.toml").write_text(TOML, encoding="utf-8")
    save_metadata(
        folder, "a.txt", {"title": 'New "title" \\ é', "authors": ["One"], "publisher": "", "date": "2021-05"}
    )
    text = (folder / "metadata.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["a.txt"] == {"title": 'New "title" \\ é', "authors": ["One"], "date": "2021-05"}
    assert text.startswith("# What is known of them.\n\n")
    assert text.endswith(TOML[TOML.index("\n# b is a report") :])


def test_a_first_entry_is_added_at_the_end(folder: Path) -> None:
    save_metadata(folder, "we[ird] \"na'me.txt", {"title": "T"})
    save_metadata(folder, "old.txt", {"title": "Old"})
    parsed = tomllib.loads((folder / "metadata.toml").read_text(encoding="utf-8"))
    assert parsed == {"we[ird] \"na'me.txt": {"title": "T"}, "old.txt": {"title": "Old"}}


def test_a_file_that_cannot_be_edited_safely_is_left_alone(folder: Path) -> None:
    inline = '"a.txt" = { title = "A" }\n'
    (folder / "metadata.toml").write_text(inline, encoding="utf-8")
    with pytest.raises(RagError, match=r"metadata\.toml"):
        save_metadata(folder, "a.txt", {"title": "B"})
    assert (folder / "metadata.toml").read_text(encoding="utf-8") == inline


def test_a_date_has_to_be_one(folder: Path) -> None:
    with pytest.raises(RagError, match="YYYY-MM-DD"):
        save_metadata(folder, "old.txt", {"date": "yesterday"})
    assert files(folder) == ["old.txt"]


def test_the_form_gives_clean_values() -> None:
    form = {"title": " A\n\x00 title ", "authors": "Ada L.; ;Grace H.", "date": "2020", "other": "x"}
    expected = {"title": "A title", "authors": ["Ada L.", "Grace H."], "publisher": "", "date": "2020"}
    assert corpus.metadata_values(form) == expected


def wait_for(sync: Sync) -> Any:
    return list(sync.watch(every=0.01))[-1]


def test_what_changes_during_a_sync_is_synced_after_it() -> None:
    runs: list[bool] = []
    going, go_on = threading.Event(), threading.Event()

    def run(progress: Callable[..., None], *, rebuild: bool) -> SyncReport:
        runs.append(rebuild)
        progress(1, 2, "reading")
        going.set()
        assert go_on.wait(5)
        return REPORT

    sync = Sync(run)
    sync.start()
    assert going.wait(5)
    assert (sync.state.running, sync.state.done, sync.state.total) == (True, 1, 2)
    sync.start()
    sync.start(rebuild=True)
    go_on.set()
    assert wait_for(sync).report == REPORT
    assert runs == [False, True]


def test_a_failed_sync_says_why_and_can_be_started_again() -> None:
    outcomes = iter([RagError("no articles"), REPORT])

    def run(progress: Callable[..., None], *, rebuild: bool) -> SyncReport:
        outcome = next(outcomes)
        if isinstance(outcome, RagError):
            raise outcome
        return outcome

    sync = Sync(run)
    sync.start()
    assert wait_for(sync).error == "no articles"
    sync.start()
    state = wait_for(sync)
    assert (state.error, state.report) == ("", REPORT)
