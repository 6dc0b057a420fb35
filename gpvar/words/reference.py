"""What the command says of England reference files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar import catalogue
from gpvar.dates import day_in_words, month_in_words
from gpvar.words.gathering import runs_of_months
from gpvar.words.text import listed, number, plain, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gpvar.sources.reference import Built, Contents
    from gpvar.study import Study


def reference_built(built: Built, left_out: Sequence[Path]) -> str:
    """Return what was made, from what, and what was left out."""
    simulated = " The practices are invented: the file says so." if built.simulated else ""
    lines = [
        f"Written: {built.path} ({built.bytes / 1e6:,.1f} MB, SHA-256 {built.sha256[:12]}…).",
        f"It holds {plural(built.practices, 'practice')}, {_months(built.months)}, from: {_titles(built.publications)}."
        f"{simulated}",
        *(plain(remark, 600) for remark in built.remarks),
    ]
    if left_out:
        names = listed(plain(path.name) for path in left_out[:10])
        more = f" and {len(left_out) - 10} more" if len(left_out) > 10 else ""
        lines.append(f"Left out, because they are no published files: {names}{more}.")
    lines.append("A colleague uses it with: python run.py new my-study --data " + plain(built.path.name))
    return "\n".join(lines)


def reference_contents(contents: Contents) -> str:
    """Return what a reference file holds."""
    made_on = day_in_words(contents.made_on)
    lines = [
        f"{plain(contents.path.name)}: made on {made_on} with gpvar {plain(contents.made_with)}, "
        f"{contents.bytes / 1e6:,.1f} MB.",
        f"{plural(contents.practices, 'practice')}, {contents.period.label}."
        + (" The practices are invented." if contents.simulated else ""),
    ]
    for source, editions in contents.editions.items():
        said = runs_of_months(sorted(editions)) or "edition not known"
        lines.append(f"    {plain(catalogue.sources()[source].title)}: {said}")
    return "\n".join(lines)


def reference_used(contents: Contents, study: Study) -> str:
    """Return that a study now rests on a reference file, and what to do next."""
    return (
        f"{reference_contents(contents)}\n{plain(study.path, 300)} now takes its published figures from it.\n"
        f"Next: python run.py check {plain(study.folder, 300)}"
    )


def _titles(publications: Sequence[str]) -> str:
    return "; ".join(catalogue.sources()[source].title for source in publications)


def _months(months: Sequence[Any]) -> str:
    if len(months) == 1:
        return month_in_words(months[0])
    return f"{month_in_words(months[0])} to {month_in_words(months[-1])} ({number(len(months))} months)"
