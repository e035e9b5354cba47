"""Scores, on values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals import metrics
from evals.gold import Evidence, Question
from evals.matching import contains, token_f1, tokens
from rag.types import Answer, Citation, Passage

TEXT = "BYD has a plant in Lancaster. It employs more than 750 workers. Fuyao spent US$1 billion. The end."
TEXTS = {"a.txt": TEXT}
EMPLOYS = "It employs more than 750 workers."


@pytest.mark.parametrize(
    "group",
    [
        ("1,300", "1300", "thirteen hundred", "one thousand three hundred", "1.3 thousand", "1.3k"),
        ("US$1 billion", "$1bn", "1 billion dollars", "one billion US dollars", "$1,000,000,000", "1 billion USD"),
        ("63.8 per cent", "63.8%", "63.8 percent", "63.80 %"),
        ("January 18, 2025", "18 January 2025", "2025-01-18", "2025-1-18", "Jan. 18th, 2025", "18th of January 2025"),
        ("January 2025", "2025-01", "Jan 2025"),
        ("2009–2023", "2009 to 2023", "2009-2023"),
        ("seven hundred and fifty thousand", "750,000", "750k", "0.75 million"),
        ("twenty-five", "25", "twenty five"),
        ("a million", "one million", "1,000,000", "1m"),
        ("BYD’s “bus” plant", "the BYD's bus plant", "BYD bus-plant"),
        ("the U.S.", "US"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("AT&T", "AT and T"),
        ("€5m", "5 million euros"),
    ],
)
def test_spellings_of_the_same_are_equal(group: tuple[str, ...]) -> None:
    assert {tuple(tokens(spelling)) for spelling in group} == {tuple(tokens(group[0]))}


@pytest.mark.parametrize(
    ("text", "part", "holds"),
    [
        ("more than 73,000 companies", "7", False),
        ("more than 73,000 companies", "73", False),
        ("more than 73,000 companies", "73000 companies", True),
        ("It sold 750 [7].", "7", False),
        ("on January 20, 2025, it began", "January 20", True),
        ("on January 20, 2025, it began", "January 2025", True),
        ("on January 20, 2025, it began", "2025", True),
        ("on January 20, 2025, it began", "January 2", False),
        ("$1.5 billion", "$1 billion", False),
        ("$1 billion", "$1 million", False),
        ("26.8 per cent", "6.8 per cent", False),
        ("one hundred and two hundred", "100 and 200", True),
        ("Trump, Donald", "Donald Trump", False),
        ("anything", "", False),
        ("anything", "the", False),
    ],
)
def test_contains_matches_whole_tokens_in_order(text: str, part: str, holds: bool) -> None:
    assert contains(tokens(text), tokens(part)) is holds


@given(st.integers(0, 10**15))
def test_an_integer_reads_the_same_with_and_without_commas(number: int) -> None:
    assert (
        tokens(f"about {number:,} of them") == tokens(f"about {number} of them") == ["about", str(number), "of", "them"]
    )


@given(st.text())
def test_any_text_has_tokens_and_contains_itself(text: str) -> None:
    found = tokens(text)
    assert contains(found, found) is bool(found)
    assert all(token and not token.isspace() for token in found)


def test_token_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # 3 of 4 tokens shared with a reference of 3: precision 3/4, recall 1, F1 = 6/7
    assert token_f1(["more", "than", "750", "workers"], ["more", "than", "750"]) == pytest.approx(6 / 7)
    assert token_f1(["x", "x"], ["x"]) == pytest.approx(2 / 3)  # a repeated token counts once
    assert token_f1([], ["x"]) == 0
    assert token_f1(["y"], ["x"]) == 0


def question(**fields: object) -> Question:
    values: dict[str, object] = {
        "id": "q",
        "kind": "number",
        "question": "How many people work there?",
        "history": (),
        "answers": ("more than 750", "750"),
        "must": (),
        "evidence": (Evidence("a.txt", EMPLOYS),),
        "answerable": True,
    }
    return Question(**(values | fields))  # type: ignore[arg-type]


def citation(quote: str, number: int = 1, at: int | None = None) -> Citation:
    start = TEXT.index(quote) if at is None else at
    return Citation(number, "a.txt", "", (), "", "", quote, start, start + len(quote))


def passage(quote: str, source: str = "a.txt") -> Passage:
    start = TEXT.index(quote)
    return Passage(source, start, start + len(quote), quote, 1.0)


def answer(
    text: str = "It employs more than 750 workers [1].",
    short: str | None = None,
    citations: tuple[Citation, ...] = (citation(EMPLOYS),),
    passages: tuple[Passage, ...] = (passage(TEXT),),
) -> Answer:
    return Answer(text, short, True, None, citations, passages, 0.9, "reader", 0.1)


def declined() -> Answer:
    return Answer("The articles don't say.", None, False, "nothing fits", (), (), 0.1, "reader", 0.1)


def test_a_right_answer_passes_without_problems() -> None:
    score = metrics.score(question(), answer(short="more than 750"), TEXTS)
    assert (score.passed, score.problems) == (True, ())
    assert (score.f1, score.short_passed) == (1.0, True)
    assert (score.citation_precision, score.citation_recall) == (1.0, 1.0)
    assert (score.rank, score.evidence_found) == (1, 1.0)


def test_a_wrong_answer_says_what_was_expected() -> None:
    score = metrics.score(question(), answer("It employs 73,750 workers [1]."), TEXTS)
    assert score.passed is False
    assert score.problems == ("expected more than 750 | 750",)


def test_a_right_sentence_with_a_wrong_short_passes_but_not_in_a_few_words() -> None:
    score = metrics.score(question(), answer(short="Lancaster"), TEXTS)
    assert (score.passed, score.short_passed, score.f1) == (True, False, 0.0)


def test_every_part_of_a_long_answer_is_needed() -> None:
    asked = question(answers=(), must=(("750", "hundreds of workers"), ("Lancaster",)))
    assert metrics.score(asked, answer("750 in Lancaster [1]."), TEXTS).passed is True
    assert metrics.score(asked, answer("Hundreds of workers in Lancaster [1]."), TEXTS).passed is True
    score = metrics.score(asked, answer("750 workers [1]."), TEXTS)
    assert (score.passed, score.problems) == (False, ("missing Lancaster",))


def test_with_both_an_answer_and_every_part_are_needed() -> None:
    asked = question(must=(("Lancaster",),))
    assert metrics.score(asked, answer(short="750"), TEXTS).problems == ("missing Lancaster",)
    assert metrics.score(asked, answer("Lancaster [1]."), TEXTS).passed is False


def test_pouring_out_everything_is_right_but_has_a_low_f1() -> None:
    score = metrics.score(question(), answer(TEXT), TEXTS)
    # 16 tokens without "a" and "the", 3 of them wanted: precision 3/16, recall 1
    assert score.passed is True
    assert score.f1 == pytest.approx(6 / 19)


def test_declining_is_wrong_where_the_articles_say_and_right_where_they_dont() -> None:
    score = metrics.score(question(), declined(), TEXTS)
    assert (score.passed, score.problems[0], score.f1) == (False, "declined: nothing fits", 0.0)
    unanswerable = question(answers=(), evidence=(), answerable=False)
    assert metrics.score(unanswerable, declined(), TEXTS).passed is True
    score = metrics.score(unanswerable, answer(), TEXTS)
    assert (score.passed, score.problems) == (False, ("answered, though the articles don't say",))


def test_a_citation_that_is_not_what_the_file_says_is_counted() -> None:
    shifted = citation(EMPLOYS, at=TEXT.index(EMPLOYS) + 1)
    score = metrics.score(question(), answer(citations=(citation(EMPLOYS), shifted)), TEXTS)
    assert score.inexact_citations == 1
    assert score.problems == ("citation [1] is not what a.txt says at 31-64",)


def test_citation_precision_and_recall_by_overlap() -> None:
    evidence = [metrics.locate("a.txt", quote, TEXTS) for quote in (EMPLOYS, "Fuyao spent US$1 billion.")]
    cited = [citation(EMPLOYS), citation("BYD has a plant in Lancaster.")]
    assert metrics.citation_scores(cited, evidence) == (0.5, 0.5)
    assert metrics.citation_scores([], evidence) == (None, 0.0)


@pytest.mark.parametrize(
    ("start", "end", "enough"),
    [(10, 20, True), (15, 25, True), (16, 26, False), (0, 100, True), (12, 14, True), (20, 30, False)],
)
def test_half_of_the_shorter_span_has_to_be_shared(start: int, end: int, enough: bool) -> None:
    assert metrics.overlaps(Passage("a.txt", start, end, "", 0.0), ("a.txt", 10, 20)) is enough
    assert not metrics.overlaps(Passage("b.txt", start, end, "", 0.0), ("a.txt", 10, 20))


def test_a_quote_that_is_repeated_may_be_cited_anywhere() -> None:
    texts = {"a.txt": "Same line.\nOther.\nSame line.\n"}
    assert metrics.locate("a.txt", "Same line.", texts) == [("a.txt", 0, 10), ("a.txt", 18, 28)]
    assert metrics.locate("a.txt", "Gone.", texts) == []
    assert metrics.locate("b.txt", "Same line.", texts) == []


def test_rank_is_of_the_first_passage_with_evidence() -> None:
    evidence = [metrics.locate("a.txt", quote, TEXTS) for quote in (EMPLOYS, "Fuyao spent US$1 billion.")]
    other = passage("BYD has a plant in Lancaster.")
    assert metrics.retrieval_rank([other, passage(EMPLOYS)], evidence) == (2, 0.5)
    assert metrics.retrieval_rank([passage("Fuyao spent US$1 billion."), passage(EMPLOYS)], evidence) == (1, 1.0)
    assert metrics.retrieval_rank([other] * 10 + [passage(EMPLOYS)], evidence) == (None, 0.0)


def test_calibration_by_hand() -> None:
    pairs = [(0.95, True), (0.95, True), (0.95, False), (0.25, False)]
    found = metrics.calibration(pairs)
    assert found is not None
    # squared errors 0.0025 + 0.0025 + 0.9025 + 0.0625 = 0.97, over 4
    assert found.brier == pytest.approx(0.2425)
    # bins: three at 0.95 with 2/3 right, gap 0.2833; one at 0.25 with none right, gap 0.25
    assert found.ece == pytest.approx((3 * (0.95 - 2 / 3) + 0.25) / 4)
    assert [(row.low, row.count, row.right) for row in found.bins] == [(0.2, 1, 0.0), (0.9, 3, pytest.approx(2 / 3))]


def test_a_confidence_of_one_falls_into_the_last_bin() -> None:
    found = metrics.calibration([(1.0, True)])
    assert found is not None
    assert (found.brier, found.ece, found.bins[0].high) == (0.0, 0.0, 1.0)
    assert metrics.calibration([]) is None


def test_means_leave_out_what_is_unscored() -> None:
    assert metrics.mean([True, None, False, True]) == pytest.approx(2 / 3)
    assert metrics.mean([None]) is None
    assert metrics.interval([None]) is None


def test_the_bootstrap_interval_repeats_and_narrows() -> None:
    few, many = [True, False] * 10, [True, False] * 200
    assert metrics.interval(few) == metrics.interval(few)
    low, high = metrics.interval(many) or (0, 0)
    # the standard error of 400 coin flips is 0.025, so 1.96 of them are 0.049
    assert (low, high) == (pytest.approx(0.451, abs=0.006), pytest.approx(0.549, abs=0.006))
    wide = metrics.interval(few) or (0, 0)
    assert wide[1] - wide[0] > 3 * (high - low)
    assert metrics.interval([True, True]) == (1.0, 1.0)


def test_percentiles_are_interpolated() -> None:
    assert metrics.percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5
    assert metrics.percentile([], 50) is None
