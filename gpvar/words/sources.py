"""Where the numbers come from: files, hashes, versions, licence lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue
from gpvar.words.text import escape_markdown, listed, month_in_words, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpvar.results import Run


def _hash(value: Any) -> str:
    return plain(value)[:12] or "none"


def files(provenance: pd.DataFrame) -> str:
    """Return the files that were read, each with edition and the start of its fingerprint."""
    said = []
    for row in provenance.drop_duplicates("file").to_dict("records"):
        edition = escape_markdown(row.get("edition", ""))
        said.append(
            f"{escape_markdown(row['file'])}{f', {edition}' if edition else ''} (SHA-256 {_hash(row['sha256'])}…)"
        )
    return listed(said) or "no file"


def dates(known: Mapping[str, str], covariates: list[str]) -> str:
    """Return of which month each characteristic is, because it need not be that of the figure."""
    known_dates = {c: month for c, month in known.items() if c in covariates}
    if not known_dates:
        return "The study does not say of which date the practices' characteristics are." if covariates else ""
    by_month: dict[str, list[str]] = {}
    for covariate, month in known_dates.items():
        by_month.setdefault(month, []).append(catalogue.covariate(covariate).phrase)
    said = "; ".join(f"{listed(names)} {month_in_words(month)}" for month, names in sorted(by_month.items()))
    return f"Characteristics of the practices are of these dates: {said}."


def licences(card: Any, covariates: list[str], simulated: bool) -> str:
    """Return the attribution lines of the publications behind the figures; none for simulated data."""
    if simulated:
        return "The data were made up by gpvar's simulator; no publication is behind them."
    known = catalogue.attributions()
    wanted = [card.source, *(catalogue.covariates()[c].source for c in covariates if c in catalogue.covariates())]
    lines = list(dict.fromkeys(known[source] for source in wanted if source in known))
    return _merge(lines)


def _merge(lines: list[str]) -> str:
    """Fold lines that share their licence sentence: the sentence once, then every source."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        head, _, tail = line.partition(" Source: ")
        groups.setdefault(head.rstrip("."), []).append(tail.rstrip("."))
    said = []
    for head, tails in groups.items():
        names = "; ".join(t for t in tails if t)
        said.append(f"{head}. Source: {names}." if names else f"{head}.")
    return " ".join(said)


def declared(run: Run) -> str:
    """Return when the analysis was fixed, and what names it."""
    versions = run.meta.get("versions", {})
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    day = run.study.declared
    said = f"{day.day} {day:%B %Y}" if hasattr(day, "day") else plain(day)
    return f"Analysis declared on {said} (study.toml). Run {_hash(run.meta.get('key', ''))}; {named}."
