"""Dates as English pages write them -> ISO. An ambiguous one (03/04/2022) is no date."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterator

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

EDGES = " |•·,;:–—-()[]./"
"""What may stand between a date and its neighbours."""


def dates(line: str) -> Iterator[str]:
    """The dates of a line, as ISO, those of the fullest form first."""
    for pattern in DATES:
        for match in pattern.finditer(line):
            groups = match.groupdict()
            month = groups["m"]
            number = month if month.isdigit() else str(list(calendar.month_abbr).index(month[:3].title()))
            date = iso_date(groups["y"], number, groups.get("d") or "1")
            if date:
                yield date if groups.get("d") else date[:7]


def without_dates(line: str) -> str:
    """What is left of a line without its dates and the times, zones and labels beside them."""
    for pattern in (*DATES, DATE_NOISE):
        line = pattern.sub(" ", line)
    return " ".join(line.split()).strip(EDGES)


def iso_date(year: str, month: str, day: str) -> str:
    """``YYYY-MM-DD``, or nothing where there is no such day."""
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat() if 1000 <= int(year) <= 2999 else ""
    except ValueError:
        return ""
