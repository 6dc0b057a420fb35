"""Where the numbers come from: files, hashes, versions, licence lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue
from gpvar.dates import day_in_words, month_in_words
from gpvar.study.columns import PUBLICATIONS, REFERENCE
from gpvar.words.gathering import runs_of_months
from gpvar.words.text import escape_markdown, listed, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gpvar.results import Run
    from gpvar.study.lock import Frozen


#: The attribution that publishers under the open licence ask for.
_OPEN = re.compile(
    r"Contains (?P<whose>[^,.]+?),? licensed under the (current version of the )?Open Government Licence( v3\.0)?"
)


def _hash(value: Any) -> str:
    return plain(value)[:12] or "none"


def files(provenance: pd.DataFrame, own: Collection[str] = ()) -> str:
    """Return the files that were read, each once: publication, months and file with the start of its fingerprint.

    Parameters
    ----------
    provenance
        One row per table read; a file may hold several.
    own
        Ids of sources that are tables of the study's own, whatever they are called.
    """
    cards = {name: catalogue.sources()[name].title for name in (*PUBLICATIONS, REFERENCE) if name not in own}
    published: dict[str, list[str]] = {}
    others = []
    for (source, _), rows in provenance.groupby(["source", "file"], sort=False):
        row = rows.iloc[0]
        file, sha256 = escape_markdown(row["file"]), f"SHA-256 {_hash(row['sha256'])}…"
        editions = sorted({plain(text) for text in rows["edition"]} - {""}) if "edition" in rows else []
        if source not in cards:
            others.append(f"{file}{''.join(f', {escape_markdown(text)}' for text in editions[:1])} ({sha256})")
            continue
        months = [text for text in editions if re.fullmatch(r"\d{4}-\d\d", text)]
        of = listed([runs_of_months(months)] * bool(months) + [escape_markdown(t) for t in editions if t not in months])
        published.setdefault(cards[source], []).append(f"{of} ({file}, {sha256})" if of else f"({file}, {sha256})")
    said = [f"{title}, {listed(entries)}".replace(", (", " (", 1) for title, entries in published.items()]
    return "; ".join([*said, *([listed(others)] if others else [])]) or "no file"


def dates(known: Mapping[str, str], covariates: list[str]) -> str:
    """Return of which month each characteristic is, because it need not be that of the figure."""
    known_dates = {c: month for c, month in known.items() if c in covariates}
    if not known_dates:
        return "The study does not say of which date the practices' characteristics are." if covariates else ""
    by_month: dict[str, list[str]] = {}
    for covariate, month in known_dates.items():
        by_month.setdefault(month, []).append(catalogue.covariate(covariate).phrase)
    said = "; ".join(f"{listed(names)} {month_in_words(month)}" for month, names in sorted(by_month.items()))
    return f"Dates of characteristics: {said}."


def licences(card: Any, covariates: list[str], simulated: bool) -> str:
    """Return the attribution lines of the publications behind the figures; none for simulated data."""
    if simulated:
        return "The data are simulated; no publication is behind them."
    known = catalogue.attributions()
    wanted = [card.source, *(catalogue.covariates()[c].source for c in covariates if c in catalogue.covariates())]
    lines = list(dict.fromkeys(known[source] for source in wanted if source in known))
    return _merge(lines)


def _merge(lines: list[str]) -> str:
    """Name each licence once, with whose information it is and every source."""
    groups: dict[str, dict[str, list[str]]] = {}
    for line in lines:
        head, _, tail = line.rstrip(".").partition(" Source: ")
        found = _OPEN.fullmatch(head.rstrip("."))
        licence, whose = (
            ("current version of the Open Government Licence (v3.0)", found["whose"])
            if found
            else ("", head.rstrip("."))
        )
        groups.setdefault(licence, {}).setdefault(whose, []).append(tail)
    said = []
    for licence, owners in groups.items():
        named = [f"{whose} ({'; '.join(t for t in tails if t)})".replace(" ()", "") for whose, tails in owners.items()]
        said += [f"Contains {listed(named)}, licensed under the {licence}."] if licence else [f"{n}." for n in named]
    return " ".join(said)


def declared(run: Run, *, everything: bool = False, sent: bool = False) -> str:
    """Return when the analysis was fixed, and what names it: the run and gpvar; on request every version.

    Beside a page that is `sent` lies the page of the trial, and its name is said, without a link.
    """
    found = run.meta.get("versions", {})
    versions = {name: version for name, version in found.items() if everything or name == "gpvar"}
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    day = run.study.declared
    said = day_in_words(day) if hasattr(day, "day") else plain(day)
    kept = frozen(run.meta.get("frozen"))
    trial = " How often gpvar is wrong: calibration.html, beside this page." if sent else ""
    return f"Analysis declared on {said} (study.toml).{kept} Run {_hash(run.meta.get('key', ''))}; {named}.{trial}"


#: What the parts of a declaration are called.
_PARTS = {
    "adjust": "what is allowed for",
    "area": "the area",
    "lists": "the lists",
    "metrics": "the measures",
    "period": "the period",
    "reference": "whom practices are compared with",
    "schema": "the form of the study",
    "seed": "the seed",
    "simulated": "whether the data are simulated",
    "sources": "the files and their columns",
}


def frozen(state: Frozen | None) -> str:
    """Return since when a study has stood as it is, or what changed since it was frozen; nothing where it was not."""
    if state is None:
        return ""
    first, *again = (day_in_words(day) for day in state.days)
    if not state.changed:
        return f" Frozen on {first}, unchanged since."
    changed = listed(_PARTS.get(name, name) for name in state.changed)
    last = f"; frozen again on {again[-1]}" if again and state.frozen_now else ""
    return f" Frozen on {first}; changed since: {changed}{last}."
