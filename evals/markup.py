"""HTML elements out of Python calls: what isn't markup already is escaped, so an article's text can't become markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = {"meta", "input"}


class Html(str):
    """Markup. Any other string that is put into an element is text, and escaped."""


def element(name: str, /, *children: str, **attributes: object) -> Html:
    """One element. ``class_`` and ``for_`` stand for class and for, other underscores for hyphens; an attribute that
    is None is left out."""
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    start = f"<{name}" + "".join(f' {key}="{escape(str(value))}"' for key, value in named) + ">"
    return Html(start if name in _VOID else f"{start}{join(children)}</{name}>")


def join(children: Iterable[str], between: str = "") -> Html:
    """The children one after the other, each escaped unless it is markup."""
    return Html(between.join(child if isinstance(child, Html) else escape(child) for child in children))
