"""What a table for readers is, and how it is written as Markdown."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gpvar.words.text import escape_markdown, plain

_WIDEST, _PROSE = 30, 70


@dataclass(frozen=True, slots=True)
class Table:
    """A table for readers.

    Attributes
    ----------
    frame
        What is printed, as text; no blank cells.
    caption
        What it shows, in one line of plain text.
    notes
        How to read it, in plain text; may be empty.
    name
        The stem of its file.
    widths
        How wide the columns are to one another; by what they hold when empty.
    """

    frame: pd.DataFrame
    caption: str
    notes: str
    name: str
    widths: tuple[int, ...] = ()

    def to_markdown(self) -> str:
        """Return a pipe table in which text from files stays text; column widths follow the contents."""
        rows = self.frame.astype(str).to_numpy().tolist()
        cells = [[escape_markdown(v, 800) or "none" for v in row] for row in rows]
        heads = [escape_markdown(c) for c in self.frame.columns]
        # Padding counts in a printed column: a few letters more keep short columns from breaking a word.
        least, most = (11, _WIDEST) if len(heads) < 7 else (13, 20)
        last = len(heads) - 1 if heads[-1] == "What it means" else -1
        widths = list(self.widths) or [
            2
            + (
                _PROSE
                if i == last
                else max(least, min(most, max(len(plain(t)) for t in (head, *(r[i] for r in rows)))))
            )
            for i, head in enumerate(self.frame.columns)
        ]
        lines = [_line(heads), _line(["-" * w for w in widths]), *(_line(row) for row in cells)]
        parts = ["\n".join(lines), f": {escape_markdown(self.caption, 300)}"]
        if self.notes:
            parts.append(f'::: {{.note custom-style="Note"}}\n\n{escape_markdown(self.notes, 1000)}\n\n:::')
        return "\n\n".join(parts)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
