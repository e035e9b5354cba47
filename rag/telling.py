"""The lines of a page that tell about its article: front matter, bylines, datelines, title, and notes at the foot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.boilerplate import SHORT, unmarked
from rag.dates import EDGES, dates, without_dates
from rag.names import AGENCIES, LIST, NAME, ROLES, is_agency, is_name, is_publisher, names_a_paper, split_names
from rag.types import Metadata

Span = tuple[int, int]

HEAD = FOOT = 15
"""Lines at the top and at the end among which the lines about the article are looked for."""
NEWLINE = re.compile(r"\r\n|[\n\r\f\v\x85\u2028\u2029]")
DATELINE = re.compile(rf"(?:[A-Z][\w .,'’/&-]{{1,60}})?\((?P<agency>{AGENCIES})\)(?=\s*[-–—]|\s?[A-Z“])")
SIGN_OFF = re.compile(rf"(?:(?<=[.!?”\"’)])\s+|^)[-–—(\[]?\s?(?P<agency>{AGENCIES})[)\]]?\.?$")
DISCLAIMER = re.compile(
    rf"\b(?:views|opinions)\b.{{0,200}}?(?:\bnot|n['’]t)\b.{{0,80}}?"
    rf"\b(?:those|views|opinions|position|policy) of (?P<name>{NAME})"
)
CARRIER = re.compile(
    rf"(?:[Cc]opyright|©|\([cC]\))[\s©]*(?:\d{{4}}(?:\s?[-–]\s?\d{{4}})?,?\s*)?(?:by )?(?P<name>{NAME})"
)
REPRINT = re.compile(
    r"(?:(?:An? .{1,20}version of )?[Tt]h(?:is|e) (?:article|story|piece|essay|op-?ed|commentary|column|post|excerpt)\b"
    rf".{{0,40}}?)?(?:[Oo]riginally|[Ff]irst) (?:published|appeared) (?:in|on|by|at) (?P<name>{NAME})"
)
LABELLED = re.compile(
    r"(?P<label>title|headline|authors?|by|written by|words by|story by|reporting by|posted by|published by|"
    r"source|publisher|publication|site|website|via|from|editors?)(?:\s*[:：]\s*|\s+)(?P<value>\S.*)",
    re.IGNORECASE,
)
BIO = re.compile(
    r"(?:(?P<name>[^\W\d_][\w .'’-]{2,50}?)|[Tt]he (?:writer|author)s?)(?: \([^)]{1,60}\))?,? (?:is|are) "
    r"(?P<role>.{1,50}?)(?: (?:in|at|of|for|on|with)\b|[.,;]|$)"
)
DATE_LABEL = re.compile(r"\b(?:published|posted|updated|modified|dated?|from|source)\b", re.IGNORECASE)
UPDATED = re.compile(r"\b(?:updated?|modified)\b", re.IGNORECASE)
SEPARATOR = re.compile(r"\s*[|•·]\s*|\s+[–—-]+\s+")
PLACE = re.compile(r"\s+(?:in|at|from)\s+[A-Z][\w.-]*(?: [A-Z][\w.-]*){0,2}")
FOR = re.compile(rf"(?P<who>.+?),?\s+(?:for|of)\s+(?P<name>{NAME})")

TOLD, TITLED, AGENCY, NOTED, CARRIED = range(5)
"""How far a line is trusted: a byline, the title's line, an agency's mark, a bio or disclaimer, a copyright notice."""


@dataclass(frozen=True)
class Fact:
    """What a stretch of the text tells about its article."""

    start: int
    end: int
    told: Metadata
    rank: int = TOLD
    prose: bool = False
    """Whether it is part of the body as well."""


FRONT_KEYS = {
    "title": "title",
    "author": "authors",
    "authors": "authors",
    "byline": "authors",
    "publisher": "publisher",
    "publication": "publisher",
    "source": "publisher",
    "site": "publisher",
    "date": "date",
    "published": "date",
    "date_published": "date",
}


def front_matter_lines(text: str, lines: Sequence[Span]) -> int:
    """How many lines a Markdown file's front matter has, its fences included; 0 if there is none."""
    first = text[slice(*lines[0])]
    if first not in ("---", "+++"):
        return 0
    closing = (index for index, line in enumerate(lines[1:60], 2) if text[slice(*line)] == first)
    return next(closing, 0)


def read_front_matter(text: str, lines: Sequence[Span]) -> list[Fact]:
    """What ``key: value`` lines tell, and the ``- value`` lines below a key."""
    facts = []
    key = ""
    for start, end in lines:
        match = re.match(r"(?:([\w-]+)\s*[:=]|-\s)\s*(.*)", text[start:end])
        if match:
            key = FRONT_KEYS.get(match[1].lower(), "") if match[1] else key
            facts.append(Fact(start, end, _field(key, match[2].strip("[] \"'"))))
    return [fact for fact in facts if fact.told != Metadata()]


def _field(key: str, value: str) -> Metadata:
    if key == "authors":
        names = (name.strip(" \"'") for name in re.split(r"[,;&]|\band\b", value))
        return Metadata(authors=tuple(name for name in names if name))
    if key == "date":
        return Metadata(date=next(dates(value), ""))
    return Metadata(title=value) if key == "title" else Metadata(publisher=value if key else "")


def find_bylines(text: str, head: Sequence[Span]) -> list[Fact]:
    """Bylines and datelines among the first lines, and names that stand alone beside a date."""
    facts: list[Fact] = []
    names: list[int] = []
    dated: list[int] = []
    for index, (start, end) in enumerate(head):
        line = text[start:end]
        if _breaks_off(text, (start, end), head[index + 1 : index + 2]):
            continue
        dateline = DATELINE.match(line[:120])
        if dateline:
            date = next(dates(dateline[0]), "")
            told = Metadata(publisher=dateline["agency"], date=date)
            facts.append(Fact(start, start + dateline.end(), told, AGENCY, prose=True))
        elif len(line) <= SHORT:
            told_by_line = _told(unmarked(line))
            if told_by_line is not None:
                facts.append(Fact(start, end, told_by_line, TITLED if UPDATED.search(line) else TOLD))
                dated += [index] if told_by_line.date else []
            elif split_names(PLACE.sub("", unmarked(line))):
                names.append(index)
            elif index and (name := _name_with_role(unmarked(line))):
                facts.append(Fact(start, end, Metadata(authors=(name,)), TITLED))
    for index in names:
        if index and any(abs(index - other) <= 1 or {index + 1, other - 1} <= set(names) for other in dated):
            authors = split_names(PLACE.sub("", unmarked(text[slice(*head[index])])))
            facts.append(Fact(*head[index], Metadata(authors=authors), TITLED))
    return facts


def _name_with_role(line: str) -> str:
    """The name in ``Jane Doe, Political Correspondent``; nothing for a clause that begins alike."""
    name, _, role = line.partition(", ")
    words = role.split()
    is_title = all(word[0].isupper() or word in ROLES for word in words) and not role.endswith((".", ","))
    return name if is_name(name) and len(words) <= 6 and is_title and ROLES & set(role.lower().split()) else ""


def _told(line: str, *, strict: bool = False) -> Metadata | None:
    """What a line tells if it is a byline, a date or a source as a whole; None if it is something else.

    ``strict`` wants a label beside a date: comments at the foot of a page are dated too.
    """
    date = next(dates(line), "")
    if date and strict and not DATE_LABEL.search(line):
        return None
    if date and re.search(r"\d\.$", line):  # the last line of a hard-wrapped sentence
        return None
    rest = without_dates(line) if date else line.strip(EDGES)
    if not rest:
        return Metadata(date=date) if date else None
    label = LABELLED.fullmatch(rest)
    if label and rest[0].isupper():
        colon = ":" in label[0][: label.start("value")]
        told = _labelled(label["label"].lower(), label["value"], colon=colon, dated=bool(date))
        return told and replace(told, date=date)
    if not date or strict or len(rest.split()) > 5 or not all(word[0].isupper() for word in rest.split()):
        return None
    if is_publisher(rest):
        return Metadata(publisher=rest, date=date)
    return Metadata(authors=split_names(rest) if re.search(r"[|·•]", line) else (), date=date)


def _labelled(label: str, value: str, *, colon: bool, dated: bool) -> Metadata | None:
    if not (colon or label.endswith("by") or (label == "from" and dated)):
        return None
    if label.startswith("author") or (label.endswith("by") and label != "published by"):
        return _people(value)
    if label in ("title", "headline"):
        return Metadata(title=value)
    name = re.fullmatch(NAME, value.split(",")[0].strip())
    if label.startswith("editor") or not name:
        return Metadata() if colon else None
    return Metadata(publisher=name[0])


def _people(value: str) -> Metadata | None:
    """The names, and perhaps the publisher, of ``A. Name and B. Name | Role or Publisher``; None if it is no byline."""
    first, *others = SEPARATOR.split(value)
    authors: list[str] = []
    publisher = ""
    employer = FOR.fullmatch(first)
    if employer:
        first, publisher = employer["who"], employer["name"]
    for part in LIST.split(PLACE.sub("", first)):
        if is_agency(part) or is_publisher(part):
            publisher = publisher or part
        elif is_name(part):
            authors.append(part.title() if part.isupper() else part)
        elif not authors and not publisher and not ROLES & set(part.lower().split()):
            return None
    for other in others:
        if not publisher and re.fullmatch(NAME, other) and not ROLES & set(other.lower().split()):
            publisher = other
    return Metadata(authors=tuple(dict.fromkeys(authors)), publisher=publisher)


def find_title(text: str, lines: Sequence[Span], facts: Sequence[Fact], known: str) -> list[Fact]:
    """The line that is the title: that of ``known``, else the first that looks like one."""
    taken = {fact.start for fact in facts}
    known = known or next((fact.told.title for fact in facts if fact.told.title), "")
    candidates = []
    for (start, end), following in zip(lines[:HEAD], [*lines[1:HEAD], None], strict=False):
        line = text[start:end]
        if known and known.casefold() in unmarked(line[:600]).casefold():
            return [Fact(start, end, Metadata(), TITLED)]
        if start in taken:
            continue
        if not _could_be_title(text, (start, end), following):
            break
        candidates.append((start, end))
    if known or not candidates or len(lines) < 2:
        return []
    headings = [line for line in candidates if text.startswith("# ", line[0])]
    wordy = [line for line in candidates if len(text[slice(*line)].split()) >= 4]
    # A first line of one or two words is the name of the section, unless there is nothing like a headline after it.
    short = len(text[slice(*candidates[0])].split()) <= 2
    start, end = (headings or (wordy if short else None) or candidates)[0]
    return [Fact(start, end, _title_line(unmarked(text[start:end])), TITLED)]


def _could_be_title(text: str, line: Span, following: Span | None) -> bool:
    plain = unmarked(text[line[0] : line[1]][:400])
    if line[1] - line[0] > 200 or not any(character.isalpha() for character in plain):
        return False
    if following is None or (plain.endswith(".") and len(plain.split()) > 12):
        return False
    return not _breaks_off(text, line, [following])


def _breaks_off(text: str, line: Span, following: Sequence[Span]) -> bool:
    """Whether a line is hard-wrapped prose: the next one goes on in lower case."""
    return any(text[start].islower() and len(NEWLINE.findall(text, line[1], start)) == 1 for start, _ in following)


def _title_line(line: str) -> Metadata:
    """``Names | Title``, ``Title | Publisher`` or ``Title - Publisher``, else the title alone."""
    first, *rest = re.split(r"\s+[|–—-]\s+", line)
    names = split_names(first)
    if "|" in line and names and len(" ".join(rest).split()) >= 4:
        return Metadata(line.split("|", 1)[1].strip(), names)
    if rest and is_publisher(rest[-1]) and len(first.split()) >= 3 and ("|" in line or names_a_paper(rest[-1])):
        return Metadata(line[: line.rindex(rest[-1])].rstrip(" |–—-"), publisher=rest[-1])
    return Metadata(line)


def find_notes(text: str, foot: Sequence[Span], kept: Sequence[Span], facts: Sequence[Fact]) -> list[Fact]:
    """What the last lines tell: source, sign-off, disclaimer, reprint and copyright notices, and the authors' bios.

    A bio stands behind the prose: above its end, a sentence that introduces someone is about a person of the article.
    """
    notes: list[Fact] = []
    told = {fact.start for fact in facts}
    behind = True
    for start, end in reversed([line for line in foot if line[0] not in told]):
        found = list(_note(text, start, end))
        if behind and not found:
            found = _bio(text, start, end, kept, told)
        told |= {start} if found else set()
        behind = behind and (bool(found) or (start, end) not in kept[-FOOT:])
        notes += found
    bios = " ".join(text[note.start : note.end] for note in notes if note.told.authors)
    return [_unless_employer(note, bios) for note in reversed(notes)]


def _unless_employer(note: Fact, bios: str) -> Fact:
    """A disclaimer may speak for the authors' employer instead of the publisher: then it tells nothing."""
    employer = note.rank == NOTED and note.told.publisher and note.told.publisher in bios
    return replace(note, told=Metadata()) if employer else note


def _note(text: str, start: int, end: int) -> Iterator[Fact]:
    line = text[start:end]
    source = _told(unmarked(line), strict=True) if len(line) <= SHORT else None
    if source:
        yield Fact(start, end, source, TITLED)
        return
    sign_off = SIGN_OFF.search(line, max(0, len(line) - 60))
    if sign_off:
        yield Fact(start + sign_off.start("agency"), end, Metadata(publisher=sign_off["agency"]), AGENCY)
    carrier = CARRIER.search(line[:SHORT])
    if carrier:
        name = re.sub(r"\W*\b(?:All|Rights|Reserved)\b.*", "", carrier["name"])
        left = start + carrier.start("name")
        yield Fact(left, left + len(name), Metadata(publisher=name), CARRIED)
    reprint = REPRINT.match(line[:400])
    if reprint:
        yield Fact(start, end, Metadata(publisher=reprint["name"].rstrip(".")), prose=True)
    disclaimer = DISCLAIMER.search(line, max(0, len(line) - 500))
    if disclaimer:
        yield Fact(start, end, Metadata(publisher=disclaimer["name"].rstrip(".")), NOTED, prose=True)


def _bio(text: str, start: int, end: int, kept: Sequence[Span], told: set[int]) -> list[Fact]:
    """``Name is a Fellow at …``, unless the prose speaks of that name too."""
    bio = BIO.match(text, start, end)
    if not bio or not ROLES & set(re.findall(r"[\w-]+", bio["role"].lower())):
        return []
    name = bio["name"]
    if name is None:  # "The writer is a professor …"
        return [Fact(start, end, Metadata(), NOTED, prose=True)]
    surname = re.compile(rf"\b{re.escape(name.split()[-1])}\b")
    elsewhere = any(surname.search(text, *line) for line in kept if line[0] not in told and line[0] != start)
    return [] if elsewhere or not is_name(name) else [Fact(start, end, Metadata(authors=(name,)), NOTED, prose=True)]
