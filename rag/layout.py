"""Where on a page things stand: its title, authors, publisher and date, its prose, and what is boilerplate.

Only short lines that match as a whole are taken for metadata or boilerplate, near the top or the foot of the text. What
no such line tells stays empty, since a wrong author is worse than none; and a dropped paragraph is a lost answer.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.types import Metadata

Span = tuple[int, int]

HEAD = FOOT = 15
"""Lines at the top and at the end among which the lines about the article are looked for."""
SHORT = 160
"""Characters of the longest line that can be boilerplate, a title or a byline."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LINE = re.compile(r"[^\s\ufeff](?:[^\n\r\f\v\x85\u2028\u2029]*[^\s\ufeff])?")
NEWLINE = re.compile(r"\r\n|[\n\r\f\v\x85\u2028\u2029]")
IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
MARKUP = re.compile(r"^(?:#{1,6}|>|[-*+•■▪●])\s+|[*_`]{1,3}|\s#+$|!?\[|\]\([^)\s]*\)|\]")

MENU = _words(
    "account app archive article articles back bookmark buy category click close comment comments contact copy"
    " download email explore facebook feed follow forum full google help home instagram join latest less like link"
    " linkedin listen log login logout messenger menu navigation newsletter next page photos pinterest play podcast"
    " podcasts post posts prev previous print read reddit register reply rss save search share shop sign skip sms story"
    " subscribe submit telegram topics tweet twitter video videos watch whatsapp youtube news"
)
"""A line of these words alone, with or without the next ones, is a menu or a share bar."""
GLUE = _words(
    "a about add all an and by here in more my new now on our radio see send show the this to top tv up us via view"
    " weather web with x your & + | / · •"
)
BOILERPLATE = re.compile(
    r"""
    (?:click|tap)\ (?:here\ )?to\ (?:comment|share|read|view|subscribe|enlarge|expand)\b.*
    | leave\ a\ (?:reply|comment)\b.* | (?:cancel|post)\ (?:reply|comment) | join\ the\ (?:conversation|discussion)\W*
    | you\ must\ be\ (?:logged|signed)\ in\b.* | your\ email\ address\ will\ not\ be\ published\b.*
    | required\ fields\ are\ marked\b.* | save\ my\ name,\ email\b.* | notify\ me\ of\ (?:new|follow-?up)\b.*
    | (?:subscribe|sign\ up|register)\ (?:now|today|free|here|to\ (?:our|the|my|receive|get)|for\ (?:our|free|more))\b.*
    | get\ (?:the|our)\ .{0,40}(?:newsletter|app|in\ your\ inbox)\b.* | enter\ your\ e-?mail\b.*
    | (?:read|see|watch|listen)\ (?:more|also|next|now)\s*[:>»|-].* | (?:also|further)\ read(?:ing)?\s*:.*
    | related\ (?:articles?|stor(?:y|ies)|topics?|posts?|content|news|coverage|links?)\b[^.]*
    | related\s*:.*
    | (?:recommended|most\ (?:read|popular|viewed)|trending|popular)(?:\ (?:for\ you|now|stories|news))?\s*:?
    | (?:you\ (?:may|might)\ also\ (?:like|be\ interested\ in)|up\ next|don['’]t\ miss|editors?['’]?s?\ picks?)\b[^.]*
    | more\ (?:from|on|in)\ [^.]{1,40} | in\ this\ (?:article|story)\s*:?
    | (?:advert(?:isement)?s?|sponsored(?:\ content)?|promoted(?:\ content)?|paid\ content)\W*
    | (?:story|article)\ continues\ (?:below|after)\b.* | scroll\ to\ continue\b.* | loading\W*
    | (?:we|(?:this|our)\ (?:web)?site)\ uses?\ cookies\b.* | by\ (?:continuing|using|browsing)\b.{0,80}\bcookies\b.*
    | (?:accept|reject|manage|allow)\ (?:all\ )?(?:cookies|preferences) | cookie\ (?:policy|settings|preferences|notice)
    | (?:privacy\ (?:policy|notice)|terms\ (?:of\ (?:use|service)|(?:and|&)\ conditions))\b.{0,60}
    | .{0,60}all\ rights\ reserved\W* | error:\ content\ is\ protected\W*
    | (?:©|\(c\)|copyright\s*(?:©|\(c\)|\d{4})).{0,120}
    | (?:photo(?:graph|s)?|image|picture|illustration|video|credit|caption)(?:\ (?:credit|source|by))?s?\s*:.*
    | \(?(?:photo|image)(?:graph)?s?\ (?:by|courtesy|credit)\b.*
    | (?:\S+\ ){0,8}?(?:\S*/\s?)?
      (?:unsplash|getty\ images|shutterstock|istock(?:photo)?|alamy|pixabay|pexels|ap\ photo)\W*
    | (?:hide|toggle)\ caption | enlarge\ this\ image | sources?\.?
    | (?:topics?|tags?|keywords?|filed\ under|categor(?:y|ies)|posted\ in)\s*:.*
    | \d[\d,.]*[km]?\ (?:comments?|shares?|likes?|views?|claps?|responses?|min(?:ute)?s?(?:\ read)?)(?:\ read)?
    | (?:connect\ with|follow|contact|about)\ (?:us|me)\b[^.]{0,60} | follow\ \S+\ on\ [^.]{1,60}
    | view\ (?:all\ )?(?:comments?|gallery|slideshow)\b.{0,20} | member-only\ story | open\ in\ app
    | written\ by | our\ standards:.* | (?:ad|live|exclusive|opinion|analysis|breaking(?:\ news)?)\W*
    """,
    re.IGNORECASE | re.VERBOSE,
)

AGENCIES = (
    "Reuters|Associated Press|AP|Agence France-Presse|AFP|Xinhua|UPI|Bloomberg|ANI|PTI|IANS|TASS|Kyodo News|Kyodo|"
    "Yonhap|dpa|DPA|EFE|ANSA|Interfax|Anadolu|Bernama|CNN"
)
DATELINE = re.compile(rf"(?:[A-Z][\w .,'’/&-]{{1,60}})?\((?P<agency>{AGENCIES})\)(?=\s*[-–—]|\s?[A-Z“])")
SIGN_OFF = re.compile(rf"(?:(?<=[.!?”\"’)])\s+|^)[-–—(\[]?\s?(?P<agency>{AGENCIES})[)\]]?\.?$")
NAME = r"(?:[Tt]he )?[A-Z][\w&'’.-]*(?: (?:(?:of|for|and|the|on|in|&) ){0,2}[A-Z][\w&'’-]*(?:\.\w+)?){0,7}"
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
MONTH = "|".join(f"{calendar.month_abbr[n]}(?:{calendar.month_name[n][3:]})?" for n in range(1, 13)) + "|Sept"
YEAR_ENDS = r"(?!\d(?!\d?:\d\d))"  # a time may follow at once, where a page's line breaks got lost
DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?!\d)(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?",
        rf"\b(?P<m>{MONTH})\.? ?(?P<d>\d{{1,2}})(?:st|nd|rd|th)? ?,? ?(?P<y>\d{{4}}){YEAR_ENDS}",
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ -](?P<m>{MONTH})\.?,?[ -](?P<y>\d{{4}}){YEAR_ENDS}",
        r"(?<!\d)(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日",
        rf"(?<![\d/.])(?P<d>1[3-9]|2\d|3[01])[/.](?P<m>\d\d?)[/.](?P<y>\d{{4}}){YEAR_ENDS}",
        rf"(?<![\d/.])(?P<m>\d\d?)[/.](?P<d>1[3-9]|2\d|3[01])[/.](?P<y>\d{{4}}){YEAR_ENDS}",
        rf"(?<!\d )\b(?P<m>{MONTH})\.?,? (?P<y>\d{{4}}){YEAR_ENDS}",
    )
)
DATE_NOISE = re.compile(  # what stands beside a date: times, zones, weekdays, labels
    r"\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\s?[ap]\.?m\b\.?)?|\b\d{1,2}\s?[ap]m\b"
    r"|\b(?:GMT|UTC|BST|IST|SGT|HKT|[ECMP][SD]?T|CEST|AES?T|AEDT)\b|[+-]\d{1,2}(?::?\d\d)?(?!\d)"
    r"|\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?"
    r"|(?<![^\W\d_])(?:first|originally|last|published|publication|publish|pub|updated?|posted|modified|created|issued"
    r"|released|dated?|on|at|time)(?![^\W\d_])"
    r"|\b\d+ (?:min(?:ute)?s? read|(?:minute|hour|day|week|month|year)s? ago)\b",
    re.IGNORECASE,
)
DATE_LABEL = re.compile(r"\b(?:published|posted|updated|modified|dated?|from|source)\b", re.IGNORECASE)
UPDATED = re.compile(r"\b(?:updated?|modified)\b", re.IGNORECASE)
EDGES = " |•·,;:–—-()[]./"
SEPARATOR = re.compile(r"\s*[|•·]\s*|\s+[–—-]+\s+")
LIST = re.compile(r"\s*(?:[,;&]|\band\b|\bwith\b)\s*")
PLACE = re.compile(r"\s+(?:in|at|from)\s+[A-Z][\w.-]*(?: [A-Z][\w.-]*){0,2}")
FOR = re.compile(rf"(?P<who>.+?),?\s+(?:for|of)\s+(?P<name>{NAME})")

PARTICLES = _words("de da di du dos del della der den van von bin ibn al el la le ten ter y e")
ROLES = _words(
    "founder co-founder director professor editor reporter correspondent fellow columnist writer researcher analyst"
    " staff contributor president ceo chair chairman chairwoman author journalist chief senior head contributing"
    " special guest freelance producer secretary lecturer scholar economist adviser advisor minister ambassador"
    " historian lawyer student candidate executive manager partner expert consultant member critic desk team newsroom"
    " editors novelist"
)
PUBLISHERS = _words(
    "news times post daily journal today press magazine review guardian herald tribune telegraph gazette observer"
    " chronicle independent economist standard globe express weekly monthly quarterly newspaper media network"
    " institute university foundation council agency online tv radio blog wire insider affairs policy atlantic"
    " diplomat conversation nikkei politico bbc cnn npr nbc abc cbs pbs cgtn scmp"
)
PLACES = _words(  # of two words, so that they look like names
    "New-York Los-Angeles San-Francisco San-Diego Hong-Kong New-Delhi Washington-DC Tel-Aviv Mexico-City São-Paulo"
    " Sao-Paulo Abu-Dhabi Kuala-Lumpur Buenos-Aires Cape-Town Las-Vegas South-Korea North-Korea South-Africa"
    " Saudi-Arabia New-Zealand United-States United-Kingdom United-Nations Rio-de-Janeiro Sri-Lanka Puerto-Rico"
)
NO_NAME = _words(
    "the a an how why what when who where this that is are was will can in on for to and or of my our your all no"
)

TOLD, TITLED, AGENCY, NOTED, CARRIED = range(5)
"""How far a line is trusted: a byline, the title's line, an agency's mark, a bio or disclaimer, a copyright notice."""


@dataclass(frozen=True)
class _Fact:
    """What a stretch of the text tells about its article."""

    start: int
    end: int
    told: Metadata
    rank: int = TOLD
    prose: bool = False
    """Whether it is part of the body as well."""


def lay_out(text: str, known: Metadata) -> tuple[Metadata, tuple[Span, ...], tuple[Span, ...]]:
    """The metadata of a text (``known`` wins), the spans of its prose, and those that tell the metadata."""
    lines = [match.span() for match in LINE.finditer(text)]
    front = _front_matter_lines(text, lines)
    facts = _front_matter(text, lines[:front])
    lines = lines[front:]
    kept = [line for line in lines if not _is_boilerplate(text[line[0] : line[1]])] or lines
    head = _head_lines(text, kept)
    facts += _bylines(text, head)
    title = _title(text, kept, facts, known.title)
    facts += title
    facts += _notes(text, lines[-FOOT:], kept, facts)
    top = title[0].start if title else 0
    kept = [line for line in kept if line not in head or not _is_page_furniture(text[slice(*line)], line[0] < top)]
    metadata = merge(known, _settle(facts))
    bylines = [
        (fact.start, fact.end) for fact in facts if fact.rank != CARRIED or fact.told.publisher == metadata.publisher
    ]
    body = _without(text, kept, [(fact.start, fact.end) for fact in facts if not fact.prose])
    return metadata, body or _without(text, kept, []), tuple(_union(bylines))


def _is_boilerplate(line: str) -> bool:
    if not any(character.isalnum() for character in line) or IMAGE.fullmatch(line):
        return True
    if len(line) > SHORT:
        return False
    plain = _plain(line)
    words = {word.rstrip(":") for word in plain.lower().split()}
    return bool(BOILERPLATE.fullmatch(plain)) or (words <= MENU | GLUE and bool(words & MENU))


def _head_lines(text: str, lines: Sequence[Span]) -> list[Span]:
    """The lines at the top, up to the second paragraph of prose: the first may be a standfirst above the byline."""
    prose = [i for i, (start, end) in enumerate(lines[:HEAD]) if _is_prose(text[start:end])]
    return list(lines[: prose[1] if len(prose) > 1 else HEAD])


def _is_prose(line: str) -> bool:
    return len(line) > SHORT or (line.endswith((".", "”", '"')) and len(line.split()) >= 20)


def _is_page_furniture(line: str, above_title: bool) -> bool:
    """A counter among the first lines, or a section's name above the title."""
    counter = not any(character.isalpha() for character in line) and not line.endswith(".")
    return counter or (above_title and len(line.split()) <= 3)


def _plain(line: str) -> str:
    """A line without Markdown's marks, spaces made single."""
    return " ".join(MARKUP.sub(" ", line).split())


def _without(text: str, lines: Sequence[Span], holes: Sequence[Span]) -> tuple[Span, ...]:
    """The lines as runs, interrupted by the holes and by lines that are not there."""
    cuts = iter([*_union(holes), (len(text), len(text))])
    cut = next(cuts)
    parts: list[Span] = []
    for start, end in lines:
        while cut[1] <= start < len(text):
            cut = next(cuts)
        parts += [(start, min(end, cut[0])), (min(end, cut[1]), end)]
    trimmed = ((start, start + len(text[start:end].rstrip())) for start, end in parts if start < end)
    return tuple(_joined(text, ((start, end) for start, end in trimmed if start < end)))


def _joined(text: str, spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _union(spans: Iterable[Span]) -> list[Span]:
    union: list[Span] = []
    for start, end in sorted(spans):
        if union and start < union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def _settle(facts: Sequence[_Fact]) -> Metadata:
    """Of each field the value that is trusted most; an agency is the author where another publisher carries it."""
    ranked = sorted(facts, key=lambda fact: fact.rank)
    found = Metadata()
    for fact in ranked:
        found = merge(found, fact.told)
    trust = next((fact.rank for fact in ranked if fact.told.authors), TOLD)
    authors = [author for fact in ranked if fact.rank == trust for author in fact.told.authors]
    found = replace(found, authors=tuple(dict.fromkeys(authors)))
    agency = next((fact.told.publisher for fact in ranked if fact.rank == AGENCY), "")
    carrier = next((fact.told.publisher for fact in ranked if fact.rank > AGENCY and fact.told.publisher), "")
    if agency and carrier and found.publisher == agency and not found.authors:
        return replace(found, authors=(agency,), publisher=carrier)
    return found


# -- lines that tell -------------------------------------------------------------------------------------------------

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


def _front_matter_lines(text: str, lines: Sequence[Span]) -> int:
    """How many lines a Markdown file's front matter has, its fences included; 0 if there is none."""
    first = text[slice(*lines[0])]
    if first not in ("---", "+++"):
        return 0
    closing = (index for index, line in enumerate(lines[1:60], 2) if text[slice(*line)] == first)
    return next(closing, 0)


def _front_matter(text: str, lines: Sequence[Span]) -> list[_Fact]:
    """What ``key: value`` lines tell, and the ``- value`` lines below a key."""
    facts = []
    key = ""
    for start, end in lines:
        match = re.match(r"(?:([\w-]+)\s*[:=]|-\s)\s*(.*)", text[start:end])
        if match:
            key = FRONT_KEYS.get(match[1].lower(), "") if match[1] else key
            facts.append(_Fact(start, end, _field(key, match[2].strip("[] \"'"))))
    return [fact for fact in facts if fact.told != Metadata()]


def _field(key: str, value: str) -> Metadata:
    if key == "authors":
        names = (name.strip(" \"'") for name in re.split(r"[,;&]|\band\b", value))
        return Metadata(authors=tuple(name for name in names if name))
    if key == "date":
        return Metadata(date=next(_dates(value), ""))
    return Metadata(title=value) if key == "title" else Metadata(publisher=value if key else "")


def _bylines(text: str, head: Sequence[Span]) -> list[_Fact]:
    """Bylines and datelines among the first lines, and names that stand alone beside a date."""
    facts: list[_Fact] = []
    names: list[int] = []
    dated: list[int] = []
    for index, (start, end) in enumerate(head):
        line = text[start:end]
        if _breaks_off(text, (start, end), head[index + 1 : index + 2]):
            continue
        dateline = DATELINE.match(line[:120])
        if dateline:
            date = next(_dates(dateline[0]), "")
            told = Metadata(publisher=dateline["agency"], date=date)
            facts.append(_Fact(start, start + dateline.end(), told, AGENCY, prose=True))
        elif len(line) <= SHORT:
            told_by_line = _told(_plain(line))
            if told_by_line is not None:
                facts.append(_Fact(start, end, told_by_line, TITLED if UPDATED.search(line) else TOLD))
                dated += [index] if told_by_line.date else []
            elif split_names(PLACE.sub("", _plain(line))):
                names.append(index)
            elif index and (name := _name_with_role(_plain(line))):
                facts.append(_Fact(start, end, Metadata(authors=(name,)), TITLED))
    for index in names:
        if index and any(abs(index - other) <= 1 or {index + 1, other - 1} <= set(names) for other in dated):
            authors = split_names(PLACE.sub("", _plain(text[slice(*head[index])])))
            facts.append(_Fact(*head[index], Metadata(authors=authors), TITLED))
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
    date = next(_dates(line), "")
    if date and strict and not DATE_LABEL.search(line):
        return None
    if date and re.search(r"\d\.$", line):  # the last line of a hard-wrapped sentence
        return None
    rest = _without_dates(line) if date else line.strip(EDGES)
    if not rest:
        return Metadata(date=date) if date else None
    label = LABELLED.fullmatch(rest)
    if label and rest[0].isupper():
        colon = ":" in label[0][: label.start("value")]
        told = _labelled(label["label"].lower(), label["value"], colon=colon, dated=bool(date))
        return told and replace(told, date=date)
    if not date or strict or len(rest.split()) > 5 or not all(word[0].isupper() for word in rest.split()):
        return None
    if _is_publisher(rest):
        return Metadata(publisher=rest, date=date)
    return Metadata(authors=split_names(rest) if re.search(r"[|·•]", line) else (), date=date)


def _without_dates(line: str) -> str:
    for pattern in (*DATES, DATE_NOISE):
        line = pattern.sub(" ", line)
    return " ".join(line.split()).strip(EDGES)


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
        if is_agency(part) or _is_publisher(part):
            publisher = publisher or part
        elif is_name(part):
            authors.append(part.title() if part.isupper() else part)
        elif not authors and not publisher and not ROLES & set(part.lower().split()):
            return None
    for other in others:
        if not publisher and re.fullmatch(NAME, other) and not ROLES & set(other.lower().split()):
            publisher = other
    return Metadata(authors=tuple(dict.fromkeys(authors)), publisher=publisher)


def _title(text: str, lines: Sequence[Span], facts: Sequence[_Fact], known: str) -> list[_Fact]:
    """The line that is the title: that of ``known``, else the first that looks like one."""
    taken = {fact.start for fact in facts}
    known = known or next((fact.told.title for fact in facts if fact.told.title), "")
    candidates = []
    for (start, end), following in zip(lines[:HEAD], [*lines[1:HEAD], None], strict=False):
        line = text[start:end]
        if known and known.casefold() in _plain(line[:600]).casefold():
            return [_Fact(start, end, Metadata(), TITLED)]
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
    return [_Fact(start, end, _title_line(_plain(text[start:end])), TITLED)]


def _could_be_title(text: str, line: Span, following: Span | None) -> bool:
    plain = _plain(text[line[0] : line[1]][:400])
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
    if rest and _is_publisher(rest[-1]) and len(first.split()) >= 3 and ("|" in line or _names_a_paper(rest[-1])):
        return Metadata(line[: line.rindex(rest[-1])].rstrip(" |–—-"), publisher=rest[-1])
    return Metadata(line)


def _notes(text: str, foot: Sequence[Span], kept: Sequence[Span], facts: Sequence[_Fact]) -> list[_Fact]:
    """What the last lines tell: source, sign-off, disclaimer, reprint and copyright notices, and the authors' bios.

    A bio stands behind the prose: above its end, a sentence that introduces someone is about a person of the article.
    """
    notes: list[_Fact] = []
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


def _unless_employer(note: _Fact, bios: str) -> _Fact:
    """A disclaimer may speak for the authors' employer instead of the publisher: then it tells nothing."""
    employer = note.rank == NOTED and note.told.publisher and note.told.publisher in bios
    return replace(note, told=Metadata()) if employer else note


def _note(text: str, start: int, end: int) -> Iterator[_Fact]:
    line = text[start:end]
    source = _told(_plain(line), strict=True) if len(line) <= SHORT else None
    if source:
        yield _Fact(start, end, source, TITLED)
        return
    sign_off = SIGN_OFF.search(line, max(0, len(line) - 60))
    if sign_off:
        yield _Fact(start + sign_off.start("agency"), end, Metadata(publisher=sign_off["agency"]), AGENCY)
    carrier = CARRIER.search(line[:SHORT])
    if carrier:
        name = re.sub(r"\W*\b(?:All|Rights|Reserved)\b.*", "", carrier["name"])
        left = start + carrier.start("name")
        yield _Fact(left, left + len(name), Metadata(publisher=name), CARRIED)
    reprint = REPRINT.match(line[:400])
    if reprint:
        yield _Fact(start, end, Metadata(publisher=reprint["name"].rstrip(".")), prose=True)
    disclaimer = DISCLAIMER.search(line, max(0, len(line) - 500))
    if disclaimer:
        yield _Fact(start, end, Metadata(publisher=disclaimer["name"].rstrip(".")), NOTED, prose=True)


def _bio(text: str, start: int, end: int, kept: Sequence[Span], told: set[int]) -> list[_Fact]:
    """``Name is a Fellow at …``, unless the prose speaks of that name too."""
    bio = BIO.match(text, start, end)
    if not bio or not ROLES & set(re.findall(r"[\w-]+", bio["role"].lower())):
        return []
    name = bio["name"]
    if name is None:  # "The writer is a professor …"
        return [_Fact(start, end, Metadata(), NOTED, prose=True)]
    surname = re.compile(rf"\b{re.escape(name.split()[-1])}\b")
    elsewhere = any(surname.search(text, *line) for line in kept if line[0] not in told and line[0] != start)
    return [] if elsewhere or not is_name(name) else [_Fact(start, end, Metadata(authors=(name,)), NOTED, prose=True)]


def _dates(line: str) -> Iterator[str]:
    """The dates of a line, as ISO, those of the fullest form first."""
    for pattern in DATES:
        for match in pattern.finditer(line):
            groups = match.groupdict()
            month = groups["m"]
            number = month if month.isdigit() else str(list(calendar.month_abbr).index(month[:3].title()))
            date = iso_date(groups["y"], number, groups.get("d") or "1")
            if date:
                yield date if groups.get("d") else date[:7]


def iso_date(year: str, month: str, day: str) -> str:
    """``YYYY-MM-DD``, or nothing where there is no such day."""
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat() if 1000 <= int(year) <= 2999 else ""
    except ValueError:
        return ""


def is_agency(name: str) -> bool:
    return bool(re.fullmatch(AGENCIES, name.strip()))


def _is_publisher(name: str) -> bool:
    words = name.split()
    if not words or len(words) > 6 or not name[0].isupper():
        return False
    acronym = len(words) == 1 and name.isupper() and 2 <= len(name) <= 6
    return acronym or words[0] == "The" or _names_a_paper(name)


def _names_a_paper(name: str) -> bool:
    """Whether one of its words is of those that names of papers, broadcasters and sites are made of."""
    words = name.lower().split()
    return is_agency(name) or any(
        word in PUBLISHERS or word.endswith((".com", ".org", ".net", ".uk")) for word in words
    )


def is_name(name: str) -> bool:
    """Whether it looks like a person's full name: two to five capitalised words, none that names a role or a paper."""
    words = name.split()
    if not 2 <= len(words) <= 5 or not (words[0][0].isupper() and words[-1][0].isupper()):
        return False
    if {word.lower() for word in words} & (ROLES | PUBLISHERS | NO_NAME) or "-".join(words) in PLACES:
        return False
    letters = re.sub(r"[.'’‘-]", "", "".join(words))
    return letters.isalpha() and all(word[0].isupper() or word in PARTICLES for word in words)


def split_names(text: str) -> tuple[str, ...]:
    """The names of a list that has nothing but names; empty otherwise."""
    parts = [part for part in LIST.split(text) if part]
    return tuple(dict.fromkeys(parts)) if parts and all(is_name(part) for part in parts) else ()


def merge(first: Metadata, second: Metadata) -> Metadata:
    return Metadata(
        first.title or second.title,
        first.authors or second.authors,
        first.publisher or second.publisher,
        first.date or second.date,
    )
