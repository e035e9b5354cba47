"""An LLM's reply, as it streams -> its sentences, without markdown, each with the numbers of the passages it cites.

A sentence is given as soon as what follows shows that it is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag import prompts

_MARKER = re.compile(
    r"\s*[\[【]\s*(?:passages?\s*|\^)?(\d{1,3}(?:\s*[,;&–-]\s*\d{1,3})*)\s*(?:†[^\]】]*)?[\]】]", re.IGNORECASE
)
_BOUNDARY = re.compile(
    rf"(?P<mark>[.!?…])[\"'”’)*_]*(?P<cited>(?:{_MARKER.pattern})*)(?:[ \t]+(?=[^\s\[【(])|(?=\n))|[。！？]|\n",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Gen|Col|Sen|Rep|Gov|vs|No|Inc|Ltd|Co|Corp|e\.g|i\.e|etc|cf|al|approx|Jan|Feb|"
    r"Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|\b[A-Z]|^\d{1,3})\.$"
)
_BULLET = re.compile(r"^(?:[-*•–]|\d{1,2}[.)])\s+")
_MARKDOWN = re.compile(r"\*\*|__|`|^#+\s*|^>\s*")
_SAYS_WHERE = re.compile(
    r"^(?:(?:according to|in|as stated in) )?(?:the )?(?:passages?|articles?|sources?) #?\d+(?:(?:,| and|, and) #?\d+)*"
    r"(?:,| (?:states?|says?|notes?|mentions?|reports?) that)\s+",
    re.IGNORECASE,
)
_EMPTY_WORDS = frozenset(
    "here is are was the a an what this that these and or in on of to from by for with about as it they following "
    "follows articles article passages passage sources source provided given say says said according based information "
    "answer question summary summarize overall conclusion sure certainly below above hope helps key points".split()
)


@dataclass(frozen=True)
class Sentence:
    """A sentence of a draft as the LLM wrote it, ``gap`` being the white space and bullet in front of it."""

    gap: str
    text: str
    cited: tuple[int, ...]


def is_refusal(text: str) -> bool:
    """Whether a sentence is the refusal phrase, however its apostrophe and full stop are written."""
    return _letters(text) in (_letters(prompts.REFUSAL), _letters(prompts.REFUSAL.replace("don't", "do not")))


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def is_empty(sentence: Sentence) -> bool:
    """Whether a sentence says nothing that evidence could be asked for: "Here is what the articles say:"."""
    content = set(re.findall(r"[^\W_]+", sentence.text.lower())) - _EMPTY_WORDS
    return not content or (not sentence.cited and sentence.text.endswith(":"))


def without_thinking(texts: Iterable[str]) -> Iterator[str]:
    """A reply without the <think>…</think> that some local models put in front."""
    head: str | None = ""
    for text in texts:
        if head is None:
            yield text
            continue
        head += text
        start = head.lstrip()
        if start.startswith("<think>"):
            _, closed, rest = start.partition("</think>")
        elif "<think>".startswith(start):
            continue
        else:
            closed, rest = "yes", head
        if closed:
            head = None
            yield rest
    if head and not head.lstrip().startswith("<think>"):
        yield head


def sentences(texts: Iterable[str]) -> Iterator[Sentence]:
    """The sentences of a draft, each as soon as what follows shows that it is complete."""
    gap = buffer = ""
    for text in texts:
        buffer += text
        while (end := _end(buffer)) is not None:
            gap, sentence = _parse(gap, buffer[:end])
            buffer = buffer[end:]
            if sentence is not None:
                yield sentence
    _, sentence = _parse(gap, buffer)
    if sentence is not None:
        yield sentence


def _end(buffer: str) -> int | None:
    """Where the first sentence of ``buffer`` ends; None if that can't be told yet."""
    for match in _BOUNDARY.finditer(buffer):
        if match["mark"] == "." and not match["cited"]:
            before, after = buffer[: match.start() + 1].lstrip(), buffer[match.end() : match.end() + 1]
            if after.islower() or (after != "\n" and _ABBREVIATION.search(before)):
                continue
        return match.end()
    return None


def _parse(gap: str, raw: str) -> tuple[str, Sentence | None]:
    """White space so far and the draft's next stretch -> the white space after it, and its sentence, if any."""
    body = raw.strip()
    gap += raw[: len(raw) - len(raw.lstrip())]
    if not body:
        return gap, None
    after = raw[len(raw.rstrip()) :]
    plain = _MARKDOWN.sub("", body)
    bullet = _BULLET.match(plain)
    text = plain[bullet.end() :] if bullet else plain
    cited = tuple(dict.fromkeys(number for match in _MARKER.finditer(text) for number in _numbers(match[1])))
    said = _SAYS_WHERE.match(text)
    if said:
        cited += tuple(int(number) for number in re.findall(r"\d+", said.group()))
        text = text[said.end() :]
        text = text[:1].upper() + text[1:]
    text = " ".join(_MARKER.sub("", text).split())
    text = re.sub(r"\s+([.,;:!?])", r"\1", text)
    if body.startswith("#") or not text:
        return after, None
    newlines = gap.count("\n")
    space = "\n\n" if newlines > 1 else "\n" if newlines else " "
    return after, Sentence(space + ("- " if bullet else ""), text, cited)


def _numbers(listed: str) -> list[int]:
    """The numbers of a marker: "1, 3" or "1-3"."""
    first, *rest = (int(number) for number in re.findall(r"\d+", listed))
    if len(rest) == 1 and re.search(r"[–-]", listed) and first < rest[0] <= first + 20:
        return list(range(first, rest[0] + 1))
    return [first, *rest]
