"""How high Markdown stands in Word, so that what must keep to one page or two says as much as fits there."""

from __future__ import annotations

import re

#: The text of a page of A4 in points, less most of a line for printers that are less exact; how far a list is set in.
PAGE, WIDTH, _INDENT = 745.0, 499.0, 36.0
#: The height of a line, and widths of letters in thousandths of the size of type: those of Arial.
_LEADING = 1.15
_WIDTHS = {
    191: "'",
    222: "ijl’‘",
    278: " \u00a0.,:;/ft!I[]|",
    333: "r()-“”",
    500: "ckvxyzsJ",
    611: "FTZ",
    667: "ABEKPSVXY&",
    722: "CDHNRUw",
    778: "GOQ",
    833: "mM",
    889: "%",
    944: "W",
    1000: "…",
}
_LETTERS = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_OTHER = 556
#: Sizes and the space around, as the styles of the reference document set them.
_HEADINGS = {"# ": (17.0, 2.0), "## ": (13.5, 7.5)}
_NOTE, _TABLE = 9.5, 10.0
_AFTER, _AFTER_ITEM, _AROUND_ROW = 4.0, 1.5, 2.0
_ITEM = re.compile(r"(?m)^(?=- |\d+\. )")


def height(markdown: str, points: float) -> float:
    """Return how high Markdown stands on A4, in points, with body text of a size.

    Parameters
    ----------
    markdown
        Headings, paragraphs, flat lists, pipe tables, frames and small print; no pictures.
    points
        The size of body text.
    """
    total, size = 0.0, points
    for block in markdown.split("\n\n"):
        if block.startswith(":::"):
            small = any(f".{name}" in block for name in ("note", "sources", "newpage"))
            size = _NOTE if small else points
        else:
            total += _block(block, size)
    return total


def _block(block: str, points: float) -> float:
    for mark, (size, around) in _HEADINGS.items():
        if block.startswith(mark):
            return _lines(block, size, WIDTH) + around
    if block.startswith("|"):
        return _table(block.split("\n"))
    if _ITEM.match(block):
        items = [item.split(" ", 1)[1] for item in _ITEM.split(block) if item]
        return sum(_lines(item, points, WIDTH - _INDENT) + _AFTER_ITEM for item in items)
    return sum(_lines(line, points, WIDTH) for line in block.split("\\\n")) + _AFTER


def _table(lines: list[str]) -> float:
    rules = [len(rule) for rule in lines[1].strip("|").split("|")]
    widths = [WIDTH * rule / sum(rules) - 6 for rule in rules]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in (lines[0], *lines[2:])]
    return sum(
        max(_lines(cell, _TABLE, width) for cell, width in zip(row, widths, strict=True)) + _AROUND_ROW for row in rows
    )


def _lines(text: str, points: float, width: float) -> float:
    """Return the height of running text, broken at spaces; the escapes and marks of Markdown take no room."""
    shown = re.sub(r"\\(?=[!-/:-@\[-`{-~])|\*\*", "", text)
    lines, along = 1, 0.0
    for word in shown.split(" "):
        size = _length(word) * points
        if along and along + size > width:
            lines, along = lines + 1, 0.0
        along += size + _length(" ") * points
    return lines * points * _LEADING


def _length(text: str) -> float:
    return sum(_LETTERS.get(letter, _OTHER) for letter in text) / 1000
