"""The letter to the ICB that asks how its figures were made: one page of Word, and the same for a browser."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from gpvar import catalogue, claims, study
from gpvar.errors import StudyError
from gpvar.reporting import files
from gpvar.reporting.assemble import Page
from gpvar.reporting.publish import Look, to_docx, to_html
from gpvar.words.ask import AT_END, ask_letter, ask_title
from gpvar.words.paper import PAGE, height

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.results import Claim
    from gpvar.study import Study

STEM = "questions_to_icb"
#: How the sentences are listed → sizes of type in half points that are tried with it, the largest first.
_WAYS = {"table": (24, 23, 22), "lines": (24, 23, 22, 21, 20), "at_end": (22, 21, 20)}
_LETTERS = (".xlsx", ".xlsm", ".csv")
#: What a letter comes as, and is not read.
_OTHER_FILES = dict.fromkeys((".docx", ".docm", ".doc", ".odt", ".rtf"), "a Word file")
_OTHER_FILES |= {".pdf": "a PDF file", ".txt": "a text file"}
_OTHER_FILES |= dict.fromkeys((".msg", ".eml"), "an email") | dict.fromkeys((".png", ".jpg", ".jpeg"), "a picture")


def publish_ask(source: Path, into: Path | None = None) -> tuple[tuple[Path, ...], tuple[Claim, ...]]:
    """Write the letter that asks how another letter's figures were made.

    Parameters
    ----------
    source
        A filled-in letter.xlsx, wherever it lies, or its folder; or a study with a letter or `[[claim]]`. No data are
        read.
    into
        The folder; by default beside the letter, or `reports/to-send` of the study. What is there is kept.

    Returns
    -------
    tuple
        The Word file and the page for a browser, and the sentences that they ask about.

    Raises
    ------
    StudyError
        When there is no letter, or nothing stands in it.
    """
    said, board, simulated, folder = _read(Path(source))
    if not said:
        raise StudyError(
            "No sentence of a letter was found, so there is nothing to ask about.",
            str(Path(source).absolute()),
            "Write one row in letter.xlsx for each sentence of the ICB's letter, or add [[claim]] to the study.",
        )
    text, half_points = one_page(said, board)
    page = Page(text, ())
    look = Look(ask_title(board), simulated, False, half_points=half_points)
    target = Path(into) if into is not None else folder
    stem = _unused(target)
    written = (
        files.write(target / f"{stem}.docx", to_docx(page, look)),
        files.write(target / f"{stem}.html", to_html(page, look)),
    )
    return written, said


def _unused(folder: Path) -> str:
    """Return a name that nothing here has: an earlier letter may have been filled in, and is never written over."""
    names = (STEM if number == 1 else f"{STEM}_{number}" for number in itertools.count(1))
    return next(name for name in names if not any((folder / f"{name}{end}").exists() for end in (".docx", ".html")))


def one_page(said: Sequence[Claim], board: str = "") -> tuple[str, int]:
    """Return the letter and its size of type, in half points, with which it stays on one page of A4.

    The fullest list of the sentences that leaves the type large enough is taken, and the largest type that fits. Where
    none does, the sentences are listed after the letter.
    """
    for listed, sizes in _WAYS.items():
        text = ask_letter(said, board, listed)
        letter = text.split(AT_END)[0]
        for half_points in sizes:
            if height(letter, half_points / 2) <= PAGE:
                return text, half_points
    return text, half_points


def _read(source: Path) -> tuple[tuple[Claim, ...], str, bool, Path]:
    """Return the sentences, the ICB's name, whether the study is simulated, and where the letter belongs."""
    beside = source / "letter.xlsx"
    if beside.is_file() and not any(source.glob("*.toml")):
        source = beside
    if source.suffix.lower() in _OTHER_FILES:
        raise StudyError(
            f"This is {_OTHER_FILES[source.suffix.lower()]}: gpvar does not read letters by itself.",
            str(source.absolute()),
            "Copy its sentences into letter.xlsx, one to a row ('new FOLDER' writes an empty one), and give that file.",
        )
    if source.suffix.lower() in _LETTERS:
        if not source.is_file():
            raise StudyError(
                f"There is no letter at '{source}'.",
                f"the folder {source.absolute().parent}",
                "Give the letter.xlsx that you have filled in, or a study; 'new FOLDER' writes both to fill in.",
            )
        return claims.read_letter(source), "", False, source.absolute().parent
    found = study.load_study(source, complete=False)
    return claims.letter_of(found), _board(found), bool(found.simulated), found.folder / "reports" / "to-send"


def _board(found: Study) -> str:
    """Return the name of the ICB where the study is of one."""
    card = catalogue.icbs().get(found.area.code) if found.area.kind == "icb" else None
    return card.name if card is not None and not found.simulated else ""
