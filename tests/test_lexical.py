from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import StoreDamagedError
from rag.lexical import LexicalIndex
from rag.types import Chunk, Metadata

UNKNOWN = Metadata()
ABOUT = Metadata("Tech ties", ("Wang Huiyao",), "China Daily", "2024-07-03")


def chunk(id: str, text: str, about: Metadata = UNKNOWN) -> Chunk:
    return Chunk(id, "a.txt", 0, len(text), text, (), about)


def index_of(path: Path, *chunks: Chunk) -> LexicalIndex:
    index = LexicalIndex.create(path)
    index.update(chunks)
    index.commit()
    return index


def ids(index: LexicalIndex, question: str, k: int = 10) -> list[str]:
    return [id for id, _ in index.search(question, k)]


def test_the_chunk_with_more_of_the_questions_words_comes_first(tmp_path: Path) -> None:
    index = index_of(tmp_path / "x", chunk("one", "Steel exports fell."), chunk("two", "Steel exports to Japan fell."))

    assert ids(index, "Which steel exports to Japan fell?") == ["two", "one"]


def test_scores_fall_along_the_list_and_k_cuts_it(tmp_path: Path) -> None:
    index = index_of(tmp_path / "x", *(chunk(str(n), "steel " * n) for n in range(1, 6)))

    hits = index.search("steel", 3)

    assert len(hits) == 3
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("It invested US$1.2 trillion.", "1.2 trillion"),
        ("A share of 63.8 per cent.", "63.8"),
        ("It granted PNTR in 2000.", "what is pntr"),
        ("It made 1,250,000 cars.", "1250000"),
        ("It made 1250000 cars.", "1,250,000"),
        ("The U.S. agreed.", "US"),
        ("BYD’s plant.", "byd"),
        ("The companies were investing.", "company investment"),
        ("The Pokémon café.", "pokemon cafe"),
        ("The Pokémon café.".replace("é", "e\u0301"), "pokémon"),
        ("Ｆｕｌｌ width.", "full"),
        ("比亚迪在兰开斯特有一家工厂。", "比亚迪的工厂在哪里?"),
        ("トヨタの工場", "トヨタ"),
    ],
)
def test_words_match_however_they_are_spelled(tmp_path: Path, text: str, question: str) -> None:
    index = index_of(tmp_path / "x", chunk("other", "Nothing of the kind, 7."), chunk("this", text))

    assert ids(index, question) == ["this"]


@pytest.mark.parametrize(("text", "question"), [("It rose 63.8.", "63"), ("It rose 1.2.", "12"), ("中国", "国中")])
def test_other_numbers_and_words_dont_match(tmp_path: Path, text: str, question: str) -> None:
    assert ids(index_of(tmp_path / "x", chunk("this", text)), question) == []


@pytest.mark.parametrize("question", ["tech ties", "Wang Huiyao", "china daily", "2024", "July"])
def test_title_author_publisher_and_date_are_searched(tmp_path: Path, question: str) -> None:
    index = index_of(tmp_path / "x", chunk("other", "Text."), chunk("this", "Text.", ABOUT))

    assert ids(index, question) == ["this"]


@pytest.mark.parametrize("question", ["", "   ", "?!…", '"', "()", "*", "title:", "^~", "\\"])
def test_a_question_without_words_finds_nothing(tmp_path: Path, question: str) -> None:
    assert ids(index_of(tmp_path / "x", chunk("this", "Steel.")), question) == []


@pytest.mark.parametrize(
    "question", ["id:other steel", "steel AND missing", "-steel", "NOT steel", "steel^-5", "+absent steel"]
)
def test_query_syntax_means_nothing(tmp_path: Path, question: str) -> None:
    assert ids(index_of(tmp_path / "x", chunk("this", "Steel.")), question) == ["this"]


def test_a_pasted_page_is_a_question_too(tmp_path: Path) -> None:
    page = "steel " + " ".join(f"word{number}" for number in range(10_000))

    assert ids(index_of(tmp_path / "x", chunk("this", "Steel.")), page) == ["this"]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(max_size=200))
def test_no_question_fails(shared: LexicalIndex, question: str) -> None:
    assert len(shared.search(question, 5)) <= 1


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    return index_of(tmp_path_factory.mktemp("lexical") / "x", chunk("this", "Steel."))


def test_a_removed_chunk_is_gone_and_the_others_stay(tmp_path: Path) -> None:
    index = index_of(tmp_path / "x", chunk("a", "steel"), chunk("b", "steel"))

    index.update([chunk("c", "steel")], ["a"])
    index.commit()

    assert sorted(ids(index, "steel")) == ["b", "c"]
    assert len(index) == 2


def test_a_chunk_replaced_in_one_update_is_there_once_with_its_new_text(tmp_path: Path) -> None:
    index = index_of(tmp_path / "x", chunk("a", "steel"))

    index.update([chunk("a", "copper")], ["a"])
    index.commit()

    assert ids(index, "copper") == ["a"]
    assert ids(index, "steel") == []


def test_cleared_an_index_scores_as_if_nothing_else_had_been_in(tmp_path: Path) -> None:
    kept = chunk("a", "steel and glass"), chunk("b", "steel")
    index = index_of(tmp_path / "x", *kept, *(chunk(f"c{n}", "glass and more glass") for n in range(9)))

    index.update([chunk("d", "glass")], ["a"])
    index.clear()
    index.update(kept)
    index.commit()

    assert index.search("steel glass", 9) == index_of(tmp_path / "y", *kept).search("steel glass", 9)
    assert len(index) == 2


def test_nothing_shows_before_the_commit(tmp_path: Path) -> None:
    index = index_of(tmp_path / "x", chunk("a", "steel"))

    index.update([chunk("b", "steel")])

    assert ids(index, "steel") == ["a"]


def test_an_index_opens_again(tmp_path: Path) -> None:
    index_of(tmp_path / "x", chunk("a", "steel"))

    assert ids(LexicalIndex.open(tmp_path / "x"), "steel") == ["a"]


def test_an_index_that_isnt_there_is_damage(tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError, match="lexical index"):
        LexicalIndex.open(tmp_path / "x")
