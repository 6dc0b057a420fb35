"""Names made safe, numbers made readable: the small change of every sentence."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def plain(value: object, limit: int = 120) -> str:
    """Return text from a file as one line of visible characters.

    Control and direction-changing characters are dropped, white space is folded, and what is longer than
    `limit` is cut: a name is a name, whatever a spreadsheet put in it.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    visible = "".join(" " if c in "\t\r\n\u2028\u2029" else c for c in str(value))
    visible = "".join(c for c in visible if unicodedata.category(c) not in _INVISIBLE)
    visible = re.sub(r"\s+", " ", visible).strip()
    return visible if len(visible) <= limit else visible[: limit - 1].rstrip() + "…"


def typed(path: object) -> str:
    """Return a path as it is typed after a command, between quotation marks where it has spaces."""
    text = str(path)
    return f'"{text}"' if re.search(r"[\s&()';]", text) else text


def escape_markdown(value: object, limit: int = 120) -> str:
    r"""Return text from a file so that Markdown shows it as it is.

    Every ASCII punctuation mark is escaped, which pandoc reads as the mark itself, so that ``<script>``,
    ``![](https://x)``, `` `{=typst} ``, ``|``, ``@`` and ``$`` stay characters.

    Examples
    --------
    >>> escape_markdown("<b> & co")
    '\\<b\\> \\& co'
    """
    return _PUNCTUATION.sub(r"\\\1", plain(value, limit))


def number(value: float, decimals: int = 0) -> str:
    """Return a number with thousands separated and a real minus sign; NaN becomes ``"not known"``."""
    if value is None or not math.isfinite(value):
        return "not known"
    rounded = round(float(value), decimals)
    rounded = 0.0 if rounded == 0 else rounded
    return f"{rounded:,.{decimals}f}".replace("-", "\u2212")


def count(value: float) -> str:
    """Return a count for a sentence: whole, with small fractions not pretended to be nothing."""
    if value is None or not math.isfinite(value):
        return "not known"
    size = abs(value)
    if 0 < size < 0.95:
        return "less than 1"
    return number(size, 1 if size < 9.95 and abs(size - round(size)) >= 0.05 else 0)


def ordinal(value: float) -> str:
    """Return 1 as "1st", 22 as "22nd", 4012 as "4,012th"."""
    whole = round(value)
    suffix = "th" if whole % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole:,}{suffix}"


def listed(items: Iterable[str], last: str = "and") -> str:
    """Return items as "a", "a and b" or "a, b and c"."""
    parts = [item for item in items if item]
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def plural(many: float, one: str, more: str | None = None) -> str:
    """Return "1 practice" or "3 practices"."""
    noun = one if round(many) == 1 else (more or f"{one}s")
    return f"{number(many)} {noun}"


def is_are(many: float) -> str:
    """Return the verb that goes with a number."""
    return "is" if round(many) == 1 else "are"


def some(many: float) -> str:
    """Return a whole number for a sentence, with a word for nought."""
    return "none" if round(many) == 0 else number(many)


def sentence(text: str) -> str:
    """Return the text with a capital first letter and one full stop."""
    text = text.strip()
    if not text:
        return ""
    ended = text if text[-1] in ".!?:" else f"{text}."
    return ended[0].upper() + ended[1:]


def lower_first(text: str) -> str:
    """Return the text with a small first letter unless it starts with an abbreviation."""
    return text if len(text) < 2 or text[1].isupper() or not text[0].isalpha() else text[0].lower() + text[1:]


def titled(name: str) -> str:
    """Return a name that a file writes in capitals alone in ordinary letters, escaped or not; any other name as it is.

    Examples
    --------
    >>> titled("ST JOHN'S GP SURGERY"), titled("Dr A Field & Partners")
    ("St John's GP Surgery", 'Dr A Field & Partners')
    """
    if not name.isupper():
        return name
    return re.sub(r"[^\W\d_]+(?:\\?['’]S\b)?", lambda word: _ordinary(word[0]), name)


#: Words of practices' names that stay in capitals.
_CAPITALS = ("GP", "NHS", "PCN", "PMS", "APMS", "UK", "II", "III")


def _ordinary(word: str) -> str:
    return word if word in _CAPITALS else word[0] + word[1:].lower()


def known(value: object) -> bool:
    """Return whether the value is a finite number."""
    try:
        return math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
