"""Sentences and chunks: where they end, and that their offsets are exact."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import articles
from rag.chunking import chunk
from rag.splitting import split_sentences
from rag.types import Article, Metadata

SEEDS = Path(__file__).parent.parent / "seeds"


def words(text: str) -> int:
    """Stands for the embedder's token count."""
    return len(text.split())


def article(text: str, *bylines: tuple[int, int], source: str = "a.txt", metadata: Metadata | None = None) -> Article:
    return Article(source, text, metadata or Metadata(), ((0, len(text)),) if text.strip() else (), bylines)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


def sentence(length: int, name: str = "Word") -> str:
    """A sentence of so many words."""
    return " ".join([name, *["word"] * (length - 1)]) + "."


# -- sentences -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expected",
    [
        ["One.", "Two!", "Three?", "Four"],
        ["Mr. Smith met Gen. Lee in Washington, D.C.", "He left at 5 p.m. on Jan. 5."],
        ["Donald J. Trump left the U.S.", "The U.S. Senate met."],
        ["J. A. Smith of Apple Inc. said so."],
        ["It fell by 5.3 per cent to $1.2 million.", "No. 5 was best.", "He said no.", "Then he left."],
        ["He was ill.", "John left."],
        ["Global supply shocks (e.g. to oil) and i.e. Trade."],
        ["“It is so.”", "He said it twice.", '"Why?" he asked.', "(It was late.)", "Then he left."],
        ["The end came.[12]", "It was late."],
        ["So it went… and on.", "Then it stopped...", "Nobody knew."],
        ["Yahoo! is a firm.", "Wait . . . what?"],
        ["i went home.", "then i slept."],
        ["He said so.", "“We agree,” she said."],
        ["It rose to 5.", "The rest fell."],
    ],
)
def test_sentences_of_a_line(expected: list[str]) -> None:
    assert sentences("  " + " ".join(expected) + " ") == expected


def test_sentences_of_scripts_without_spaces() -> None:
    assert sentences("他说。“好的！”然后走了？结束") == ["他说。", "“好的！”", "然后走了？", "结束"]


def test_a_numbered_item_is_one_sentence() -> None:
    assert sentences("1. First item\n2. Second item.") == ["1. First item", "2. Second item."]


def test_marks_before_a_line_are_not_part_of_its_sentence() -> None:
    assert sentences("## What now?\n- One.\n> * Two\n■ Three") == ["What now?", "One.", "Two", "Three"]


def test_a_line_ends_a_sentence() -> None:
    assert sentences("A heading\nIt rained. It\r\n\r\nNext") == ["A heading", "It rained.", "It", "Next"]


def test_a_line_broken_in_mid_sentence_goes_on() -> None:
    text = "Its reliance on overseas markets and\n\ntechnology by, for example, chips. It is so."
    assert sentences(text) == [
        "Its reliance on overseas markets and\n\ntechnology by, for example, chips.",
        "It is so.",
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_hard_wrapped_lines_go_on(newline: str) -> None:
    lines = [
        "Showers continued throughout the week in the cocoa zone of",
        "Bahia, alleviating the drought since early January and the",
        "prospects for the coming harvest. Comissaria Smith said in",
        "London that the dry period means that it will be late this",
        "year.",
        "The next paragraph is about something else.",
    ]
    text = newline.join(lines)
    assert [" ".join(found.split()) for found in sentences(text)] == [
        " ".join(lines[:2]) + " prospects for the coming harvest.",
        "Comissaria Smith said in " + " ".join(lines[3:5]),
        lines[5],
    ]


def test_nothing_has_no_sentences() -> None:
    assert split_sentences("") == split_sentences(" \r\n\ufeff") == []


def test_sentences_need_no_heavy_library() -> None:
    code = "import sys; from rag.splitting import split_sentences; split_sentences('U.S. It.'); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"nltk", "llama_index.core", "tiktoken"} & set(modules)


# -- chunks ----------------------------------------------------------------------------------------------------------


def test_a_chunk_is_a_run_of_whole_sentences_up_to_the_size() -> None:
    text = " ".join(sentence(4) for _ in range(5))
    assert [words(found.text) for found in chunk(article(text), words, size=10)] == [8, 8, 4]


def test_a_chunk_ends_at_a_paragraph_once_it_is_mostly_full() -> None:
    first, second = sentence(6, "First"), f"{sentence(3, 'Second')} {sentence(4)}"
    assert [found.text for found in chunk(article(f"{first}\n\n{second}"), words, size=10)] == [first, second]


def test_a_short_paragraph_shares_its_chunk() -> None:
    text = f"{sentence(5)}\n\n{sentence(3)} {sentence(6)}"
    assert [words(found.text) for found in chunk(article(text), words, size=10)] == [8, 6]


def test_a_heading_goes_with_what_follows() -> None:
    text = f"{sentence(8)}\nThe heading\n{sentence(7)}"
    assert [found.text for found in chunk(article(text), words, size=10)] == [
        sentence(8),
        f"The heading\n{sentence(7)}",
    ]


def test_headings_alone_make_a_chunk() -> None:
    assert [found.text for found in chunk(article("One\nTwo"), words, size=10)] == ["One\nTwo"]


def test_a_sentence_up_to_twice_the_size_stays_whole() -> None:
    text = f"{sentence(3)} {sentence(20)} {sentence(3)}"
    assert [words(found.text) for found in chunk(article(text), words, size=10)] == [3, 20, 3]


def test_a_longer_sentence_is_split_between_clauses() -> None:
    clauses = [" ".join(["word"] * 8) for _ in range(4)]
    found = chunk(article(", ".join(clauses) + "."), words, size=10)
    assert [one.text for one in found] == [*(f"{clause}," for clause in clauses[:3]), f"{clauses[3]}."]


@pytest.mark.parametrize("text", ["x" * 50_000, "国" * 50_000, "word " * 10_000, "." * 50_000])
def test_no_chunk_is_endless(text: str) -> None:
    found = chunk(article(text), words, size=10)
    assert max(len(one.text) for one in found) <= 200
    assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())


def test_a_chunk_never_spans_what_is_not_body() -> None:
    text = "One is here.\n\nAdvertisement\n\nTwo is here."
    found = chunk(Article("a.txt", text, Metadata(), ((0, 12), (29, 41))), words)
    assert [one.text for one in found] == ["One is here.", "Two is here."]


def test_neighbouring_bylines_make_one_chunk_with_a_sentence_a_line() -> None:
    text = "The title\nBy A. B. Writer. Editor\n\nThe prose.\n\nFrom SCMP"
    found = chunk(Article("a.txt", text, Metadata(), ((35, 45),), ((0, 9), (10, 33), (47, 56))), words)
    assert [(one.kind, [one.text[left:right] for left, right in one.sentences]) for one in found] == [
        ("body", ["The prose."]),
        ("byline", ["The title", "By A. B. Writer. Editor"]),
        ("byline", ["From SCMP"]),
    ]


def test_an_article_without_prose_has_no_chunks() -> None:
    assert chunk(article(""), words) == []


def test_tokens_are_counted_once_a_sentence() -> None:
    asked: list[str] = []
    text = "One is here. Two is here.\n\nThree is here."
    chunk(article(text), lambda part: asked.append(part) or words(part), size=4)  # type: ignore[func-returns-value]
    assert asked == ["One is here.", "Two is here.", "Three is here."]


def test_a_long_text_is_split() -> None:
    text = "The quick brown fox jumps over the lazy dog, and Mr. Smith looks on. " * 30 + "\n\n"
    found = chunk(article(text * 1_000), words)
    assert sum(len(one.sentences) for one in found) == 30_000


# -- ids -------------------------------------------------------------------------------------------------------------


def test_ids_tell_repeated_paragraphs_apart() -> None:
    text = "\n\n".join([sentence(8)] * 3)
    found = [*chunk(article(text, (0, 5)), words, size=10), *chunk(article(text, source="b.txt"), words, size=10)]
    assert len(found) == 7
    assert len({one.id for one in found}) == 7


def test_ids_are_stable_and_follow_text_and_metadata() -> None:
    def only(text: str, **metadata: str) -> str:
        (one,) = chunk(article(text, metadata=Metadata(**metadata)), words)  # type: ignore[arg-type]
        return one.id

    same = only("It rained.")
    assert same == only("It rained.")
    assert len({same, only("It snowed."), only("It rained.", title="T"), only("It rained.", publisher="T")}) == 4


# -- invariants ------------------------------------------------------------------------------------------------------

TEXTS = st.lists(
    st.sampled_from(
        [
            *(
                "The U.S. Senate met. ",
                "He said “no.” ",
                "Mr. ",
                "e.g. ",
                "It rose 5.3% ",
                "Why?! ",
                "…",
                "... ",
                "a, b; ",
            ),
            *(
                "\n",
                "\r\n",
                "\n\n",
                "\r",
                "\u2028",
                "\ufeff",
                "# Heading\n",
                "- item ",
                "> ",
                "好的。",
                "cafe\u0301 👩🏽‍🚀 ",
            ),
            *("goes on and\n\non here ", "x" * 300, " " * 50, "[12] ", "(", ")", "”", '"', "1. "),
        ]
    )
    | st.text(max_size=30),
    max_size=40,
).map("".join)
MARKS = re.compile(r"[\s\ufeff#>*+•■▪●‣◦–—-]*")


def check_cover(text: str, spans: list[tuple[int, int]]) -> None:
    """The spans are trimmed, in order and apart, and nothing but whitespace and list marks lies between them."""
    assert all(text[start:end] and text[start:end] == text[start:end].strip() for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    between = [text[left[1] : right[0]] for left, right in pairwise([(0, 0), *spans, (len(text), len(text))])]
    assert all(MARKS.fullmatch(gap) for gap in between)


@given(TEXTS)
def test_sentences_cover_the_text(text: str) -> None:
    check_cover(text, split_sentences(text))


@given(TEXTS, st.integers(1, 40))
def test_chunks_are_exact_and_cover_the_body(text: str, size: int) -> None:
    found = chunk(article(text), words, size=size)
    assert all(text[one.start : one.end] == one.text for one in found)
    check_cover(text, [(one.start + left, one.start + right) for one in found for left, right in one.sentences])
    assert all(one.sentences[0][0] == 0 and one.sentences[-1][1] == len(one.text) for one in found)
    assert len({one.id for one in found}) == len(found)


@pytest.mark.parametrize("source", sorted(path.name for path in SEEDS.glob("*.txt")))
def test_chunks_of_the_seeds_are_exact(source: str) -> None:
    with open(SEEDS / source, encoding="utf-8", newline="") as file:
        text = file.read()
    found = chunk(articles.read_article(SEEDS, source), words, size=120)
    assert all(text[one.start : one.end] == one.text for one in found)
    assert all(words(one.text) <= 120 for one in found)
    assert {one.kind for one in found} == {"body", "byline"}


def test_a_sentence_of_a_seed_is_whole() -> None:
    article = articles.read_article(SEEDS, "003_78296adb63813134.txt")
    found = [one.text[left:right] for one in chunk(article, words, size=120) for left, right in one.sentences]
    assert (
        "This sees it reducing its reliance on overseas markets and\n\ntechnology by, for example, spending billions of"
        " dollars to encourage a domestic chip industry."
    ) in found
