"""How many lines a text takes on paper: enough to choose how much is said where pages are counted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from gpvar.words.console import without_markdown

#: Letters on a line of 12-point Arial, in a list, of small print and of a table's widest column.
_WIDE, _ITEM, _SMALL, _CELL = 88, 80, 112, 60
#: A line of small print in lines of 12 point, a heading, and what is left free after a paragraph.
_SMALL_LINE, _HEADING, _GAP = 0.8, 1.6, 0.3
#: Lines of 12 point on one page and on two, with a little to spare: fonts differ from one computer to the next.
ONE_PAGE, TWO_PAGES = 52.0, 104.0
#: Lines that a picture of full width takes.
CHART = 14.0


def lines(parts: Iterable[str]) -> float:
    """Return how many lines of 12-point Arial on A4 some Markdown of ours takes, near enough.

    Parameters
    ----------
    parts
        Blocks of a page; empty ones take no room.
    """
    return sum(_lines(part) for part in parts if part)


def _lines(text: str) -> float:
    small, taken = False, 0.0
    for block in re.split(r"\n\s*\n", text):
        block = block.strip()
        if block.startswith(":::"):
            small = "note" in block or "sources" in block or "newpage" in block
            continue
        taken += sum(_line(line, small) for line in block.splitlines()) + _GAP
    return taken


def _line(line: str, small: bool) -> float:
    if line.startswith("#"):
        return _HEADING
    if line.startswith("|"):
        longest = max(len(without_markdown(cell).strip()) for cell in line.split("|"))
        return max(1, math.ceil(longest / _CELL)) * _SMALL_LINE
    said = without_markdown(line)
    if small:
        return math.ceil(len(said) / _SMALL) * _SMALL_LINE
    wide = _ITEM if re.match(r"(-|\d+\.) ", line) else _WIDE
    return float(math.ceil(len(said) / wide))
