"""The page of the trial, "How often is this tool wrong?", from the two files that a trial leaves."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path

import pandas as pd

from gpvar import charts, share, tables
from gpvar.charts.style import Chart, save
from gpvar.errors import ReportError
from gpvar.reporting import files
from gpvar.reporting.assemble import Page, Picture
from gpvar.reporting.publish import Look, to_html
from gpvar.words import calibration as words
from gpvar.words import calibration_rows as rows
from gpvar.words.calibration_facts import TrialFacts, trial_facts, what
from gpvar.words.text import escape_markdown, sentence

CSV, JSON, HTML, MARKDOWN = (f"{words.STEM}.{kind}" for kind in ("csv", "json", "html", "md"))


def read_trial(folder: Path | None = None) -> TrialFacts:
    """Return what a trial found.

    Parameters
    ----------
    folder
        Holds ``calibration.csv`` and ``calibration.json``; the trial that comes with gpvar when None.

    Raises
    ------
    ReportError
        When a file is not there or is not one that ``calibrate`` wrote.
    """
    folder = share.folder("calibration") if folder is None else Path(folder)
    try:
        frame = pd.read_csv(folder / CSV, keep_default_na=False, na_values={"estimate": ["", "nan"]})
        about = json.loads((folder / JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(
            "The files of a trial could not be read.",
            f"{folder}: {str(error).splitlines()[0]}",
            f"Give the folder that python run.py calibrate wrote; it holds {CSV} and {JSON}.",
        ) from error
    return trial_facts(frame, about)


def publish_calibration(folder: Path) -> Path:
    """Write the page of a trial beside its files, for a browser and as Markdown.

    Parameters
    ----------
    folder
        Where ``calibrate`` wrote ``calibration.csv`` and ``calibration.json``.

    Returns
    -------
    Path
        ``calibration.html``; ``calibration.md``, without pictures, is beside it.
    """
    facts = read_trial(Path(folder))
    files.write_text(Path(folder) / MARKDOWN, markdown(facts))
    return files.write(Path(folder) / HTML, page(facts))


def lay_beside(folder: Path) -> list[Path]:
    """Write the page of the trial that comes with gpvar, and its rows, beside other pages that link to it."""
    return [files.write(folder / name, content) for name, content in zip((HTML, CSV), _shipped(), strict=True)]


@cache
def _shipped() -> tuple[bytes, bytes]:
    """Return the page and the rows of the trial that comes with gpvar: the same for every study."""
    facts = read_trial()
    in_words = [sentence(what(row)).rstrip(".") for row in facts.every]
    return page(facts), files.csv_for_people(facts.frame.assign(in_words=in_words))


def shipped_line() -> str:
    """Return what the trial that comes with gpvar says, in one plain line for an index."""
    return rows.trial_line(read_trial())


def page(facts: TrialFacts) -> bytes:
    """Return the page as one HTML file that fetches nothing."""
    drawn = charts.calibration_charts(facts)
    pictures = tuple(_picture(chart) for chart in drawn)
    parts = _parts(facts)
    if drawn:
        parts.insert(_PICTURES_AFTER, _row(drawn))
    return to_html(Page("\n\n".join(part for part in parts if part), pictures), Look(words.TITLE, True, False))


def markdown(facts: TrialFacts) -> str:
    """Return the page as plain Markdown, for readers of the files themselves; frames and pictures are left out."""
    text = "\n\n".join(part for part in _parts(facts) if part)
    text = re.sub(r"^::: .*\n\n|\n\n:::$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^: (.*)$", r"*\1*", text, flags=re.MULTILINE)
    return re.sub(r"\\([,.:;%()/-])", r"\1", text) + "\n"


#: The pictures follow the head, the answer, and the answer in more words.
_PICTURES_AFTER = 3


def _parts(facts: TrialFacts) -> list[str]:
    parts = [words.calibration_title(facts), words.calibration_first(facts)]
    parts += [words.calibration_plain(facts), words.calibration_icb_right(facts)]
    parts += [words.calibration_missed(facts), rows.calibration_not_shown(facts), rows.calibration_reading()]
    for name in rows.section_names(facts):
        parts += [rows.calibration_section(name, facts), _markdown(tables.calibration_rows(name, facts))]
    parts += [rows.calibration_by_kind(facts)]
    parts += [_markdown(tables.calibration_by_kind(facts, barred=barred)) for barred in (True, False)]
    parts += [rows.calibration_odds(facts), _markdown(tables.calibration_odds(facts))]
    parts += [rows.calibration_by_measure(facts), _markdown(tables.calibration_by_measure(facts))]
    parts += [words.calibration_apart(facts), _markdown(tables.calibration_apart(facts))]
    parts += [words.calibration_close(facts), _markdown(tables.calibration_close(facts))]
    return [*parts, rows.calibration_repeat(facts)]


def _markdown(table: tables.Table | str) -> str:
    return table if isinstance(table, str) else table.to_markdown()


def _picture(chart: Chart) -> Picture:
    drawn = {kind: io.BytesIO() for kind in ("png", "svg")}
    for kind, target in drawn.items():
        save(chart, target, kind)
    return Picture(
        chart.name,
        chart.title,
        chart.alt,
        drawn["png"].getvalue(),
        drawn["svg"].getvalue().decode("utf-8"),
        chart.data.to_csv(index=False, lineterminator="\n"),
    )


def _row(drawn: tuple[Chart, ...]) -> str:
    """Return the pictures, side by side where there is room."""
    images = " ".join(f"![{escape_markdown(chart.alt, 2000)}]({chart.name}.png){{width=8.5cm}}" for chart in drawn)
    return f"::: {{.charts .of{len(drawn)}}}\n\n{images}\n\n:::"
