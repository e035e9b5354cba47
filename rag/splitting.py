"""Text -> the spans of its sentences, paragraph by paragraph.

Sentences end where the Punkt method (Kiss & Strunk, 2006) ends them, by its trained abbreviations and sentence
starters. They are read from the copy in llama_index's wheel, two small text files: so nothing of llama_index or NLTK
has to be imported, which takes a second or two, and an environment's own ``NLTK_DATA`` can't replace them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from rag.errors import ModelError

Span = tuple[int, int]

PUNKT = "_static/nltk_cache/tokenizers/punkt_tab/english"
LINE = re.compile(r"[^\s\ufeff](?:[^\n\r\f\v\x85\u2028\u2029]*[^\s\ufeff])?")
NEWLINE = re.compile(r"\r\n|[\n\r\f\v\x85\u2028\u2029]")
CLOSING = r"[\"'”’»)\]}*_」』）】]*(?:\[\d{1,3}\])*"  # quotes, brackets and note marks that close behind a full stop
END = re.compile(rf"(?:[.!?…]+|[。！？｡।؟۔]+){CLOSING}")
TERMINATED = re.compile(rf"[.!?…。！？｡।؟۔]{CLOSING}$")
OPENING = re.compile(r"[\s\"'“‘«(\[{*_「『（【—–¿¡-]*")
MARKER = re.compile(r"(?:(?:#{1,6}|>|[-*+•■▪●‣◦–—])\s+)+(?=\S)")  # heading, quote and list marks
LAST_WORD = re.compile(r"[^\s()\[\]{}\"“”‘«»—–/]*$")
FIRST_WORD = re.compile(r"[^\W\d_]+")
INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")  # J, U.S, e.g
SPACE = re.compile(r"\s+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Added to the trained abbreviations: they come from the Wall Street Journal of 1989.
ABBREVIATIONS = _words("apr jun jul ph.d llc plc pty etc esq assn intl mon thu thur thurs hrs mins secs")
# Never the end of a sentence: a name, a number or an example follows.
TITLES = _words(
    "mr mrs ms mx dr prof gen sen sens rep reps gov lt col sgt capt cpl cmdr adm maj rev hon messrs pres supt insp"
    " st mt ft vs fig figs sec vol vols approx est dept e.g i.e viz"
)
NUMBERED = _words("no nos art pp p ch")  # no end before a number
WORDS = _words("ill wash ore ok mon jun mar sat sun")  # abbreviations only where they are capitalised
# Added to the trained sentence starters, which leave out the commonest words.
STARTERS = _words(
    "a an the in on at its he his she her they their we our you your that those here or and as where after before"
    " until because for from with by to what why how who which some most all each every one another other"
)


def split_sentences(text: str) -> list[Span]:
    """Sentence spans of ``text``, in order, without the whitespace around them and the list marks before them.

    A newline ends a sentence too, unless lines are hard-wrapped or one breaks off in mid-sentence. All but whitespace
    and heading, list and quote marks lies in exactly one span. Time is linear in the length of ``text``.
    """
    return [span for paragraph in paragraphs(text, 0, len(text), wrap_width(text)) for span in paragraph]


def paragraphs(text: str, start: int, end: int, width: int) -> Iterator[list[Span]]:
    """The sentence spans of each paragraph between ``start`` and ``end``; ``width`` is the whole text's."""
    first = last = (-1, -1)
    for match in LINE.finditer(text, start, end):
        line = match.span()
        if first[0] < 0:
            first = line
        elif not _continues(text, last, line, width):
            yield list(_sentences(text, first[0], last[1]))
            first = line
        last = line
    if first[0] >= 0:
        yield list(_sentences(text, first[0], last[1]))


def _continues(text: str, last: Span, line: Span, width: int) -> bool:
    """Whether a paragraph goes on in the next line: hard-wrapped, or broken in mid-sentence."""
    if MARKER.match(text, *line):
        return False
    if width and last[1] - last[0] >= 0.6 * width and len(NEWLINE.findall(text, last[1], line[0])) == 1:
        return True
    broken = not TERMINATED.search(text, max(last[0], last[1] - 40), last[1]) and text[last[1] - 1] not in ":;"
    return broken and text[line[0]].islower() and not text.startswith("#", last[0])


def wrap_width(text: str) -> int:
    """The width at which the lines of a hard-wrapped file break, or 0: 40 to 120 characters, mostly in mid-sentence."""
    lines = [match.span() for match in LINE.finditer(text)]
    inner = [last for last, line in pairwise(lines) if len(NEWLINE.findall(text, last[1], line[0])) == 1]
    wrapped = [end - start for start, end in inner if 40 <= end - start <= 120]
    open_ended = sum(not TERMINATED.search(text, max(start, end - 40), end) for start, end in inner)
    if len(inner) < 4 or len(wrapped) < 0.7 * len(inner) or open_ended < 0.5 * len(inner):
        return 0
    return max(wrapped)


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentences of one paragraph, which neither begins nor ends with whitespace."""
    start = _skip(MARKER, text, start, end)
    for stop in END.finditer(text, start, end):
        if stop.end() < end and _ends(text, stop, start, end):
            yield start, stop.end()
            start = _skip(SPACE, text, stop.end(), end)
    yield start, end


def _ends(text: str, stop: re.Match[str], start: int, end: int) -> bool:
    """Whether a sentence ends at these full stops; ``start`` is where it began, ``end`` the paragraph's end."""
    if stop[0][0] in "。！？｡":
        return True
    if not text[stop.end()].isspace():
        return False
    position = _skip(OPENING, text, stop.end(), end)
    if position == end:
        return True
    if text[position] in ".,;:!?…)]":
        return False
    word = _last_word(text[max(start, stop.start() - 40) : stop.start()])
    if stop[0] not in (".", ".)", ".]"):
        return not text[position].islower()
    if _is_abbreviation(word):
        return _ends_after_abbreviation(text, word, position)
    if text[position].islower():  # perhaps an abbreviation nobody listed; text without capitals has sentences too
        return len(word) > 2 and word.isalpha() and word.islower()
    return not (word.isdigit() and stop.start() - start == len(word))  # "1." numbers what follows


def _is_abbreviation(word: str) -> bool:
    key = word.lower()
    return bool(INITIALS.fullmatch(word)) or (key in _abbreviations() and not (word.islower() and key in WORDS))


def _ends_after_abbreviation(text: str, word: str, position: int) -> bool:
    """Whether the full stop of an abbreviation ends the sentence too: only a common first word after it tells."""
    key = word.lower()
    if key in NUMBERED:
        return text[position].isupper()
    following = FIRST_WORD.match(text, position)
    if key in TITLES or not following or not text[position].isupper():
        return False
    initial = len(following[0]) == 1 and text.startswith(".", following.end())  # J. A. Smith
    return following[0].lower() in _starters() and not initial


def _last_word(text: str) -> str:
    match = LAST_WORD.search(text)
    return match[0] if match else ""


def _skip(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    match = pattern.match(text, start, end)
    return match.end() if match else start


@cache
def _abbreviations() -> frozenset[str]:
    return _punkt("abbrev_types.txt") | ABBREVIATIONS | TITLES | NUMBERED


@cache
def _starters() -> frozenset[str]:
    return _punkt("sent_starters.txt") | STARTERS


def _punkt(name: str) -> frozenset[str]:
    """A word list of the English Punkt model in llama_index's wheel (which finding, unlike importing, doesn't run)."""
    spec = find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise ModelError("llama-index-core is not installed: its sentence model is missing; run `make` again")
    path = Path(spec.origin).parent / PUNKT / name
    try:
        return frozenset(path.read_text(encoding="utf-8").split())
    except OSError as error:
        raise ModelError(f"the sentence model of llama-index-core is missing: {error}; reinstall it") from error
