"""What the sentences of one page are about: a run, seen from one practice or one area. No computation."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue
from gpvar.errors import StudyError
from gpvar.words import phrases
from gpvar.words.text import escape_markdown, plain

if TYPE_CHECKING:
    from gpvar.results import Analysis, Run

Row = dict[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PracticeFacts:
    """One practice on one metric.

    Attributes
    ----------
    rows, spread
        (rung, comparator) → the practice's row, and the shared spread it is judged against.
    gates
        Rows of the gates table that concern this practice, this metric or the whole table.
    """

    run: Run
    card: Any
    code: str
    name: str
    icb_code: str
    icb_name: str
    analysis: Analysis
    rows: dict[Key, Row]
    spread: dict[Key, Row]
    gates: pd.DataFrame

    @property
    def meta(self) -> dict[str, Any]:
        """The analysis' own description."""
        return self.analysis.meta

    @property
    def names(self) -> phrases.Names:
        """What the reference set is called, safe in Markdown."""
        return phrases.names(self.meta, escape_markdown)

    @property
    def plain_names(self) -> phrases.Names:
        """What the reference set is called, as plain text: for pictures and tables."""
        return phrases.names(self.meta, plain)

    @property
    def headline(self) -> str:
        """The rung the findings speak of: M1, or M0 when nothing could be allowed for."""
        return str(self.meta.get("headline_rung", "M1"))

    def row(self, rung: str, comparator: str = "england") -> Row | None:
        """Return a row, or None when that rung was not fitted."""
        return self.rows.get((rung, comparator))


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """One area on one metric: the analysis frame of its practices, with names beside the codes."""

    run: Run
    card: Any
    name: str
    codes: tuple[str, ...]
    analysis: Analysis
    practices: pd.DataFrame
    gates: pd.DataFrame

    @property
    def meta(self) -> dict[str, Any]:
        """The analysis' own description."""
        return self.analysis.meta

    @property
    def names(self) -> phrases.Names:
        """What the reference set is called, safe in Markdown."""
        return phrases.names(self.meta, escape_markdown)

    @property
    def plain_names(self) -> phrases.Names:
        """What the reference set is called, as plain text: for pictures and tables."""
        return phrases.names(self.meta, plain)

    @property
    def headline(self) -> str:
        """The rung the findings speak of: M1, or M0 when nothing could be allowed for."""
        return str(self.meta.get("headline_rung", "M1"))

    def at(self, rung: str, comparator: str = "england") -> pd.DataFrame:
        """Return the area's rows at a rung and comparator, ordered by code."""
        frame = self.practices
        rows = frame[(frame["rung"] == rung) & (frame["comparator"] == comparator)]
        return rows.sort_values("practice_code", ignore_index=True)


def _records(frame: pd.DataFrame) -> dict[Key, Row]:
    return {(r["rung"], r["comparator"]): {str(k): v for k, v in r.items()} for r in frame.to_dict("records")}


def choose_metric(run: Run, metric: str = "") -> str:
    """Return the metric asked for, the study's first when none was; refuse one that was not analysed."""
    available = [m for m in run.study.metrics if m in run.analyses] or list(run.analyses)
    wanted = metric or (available or list(run.study.metrics))[0]
    reason = run.meta.get("unanswered", {}).get(wanted)
    if reason:
        raise StudyError(
            f"This run could not answer for {plain(wanted)!r}.", plain(reason, 300), "See the check page: run.py check."
        )
    if not metric:
        return available[0]
    if metric not in run.analyses:
        raise StudyError(
            f"This run holds no analysis of {plain(metric)!r}.",
            f"it holds {', '.join(available)}",
            _nearest(metric, available) or "Add the metric to study.toml and run again.",
        )
    return metric


def choose_practice(run: Run, practice: str = "") -> str:
    """Return the practice asked for, the study's first when none was; refuse one that is not in the table."""
    codes = [str(c) for c in run.table.practices["practice_code"]]
    if not practice:
        chosen = [c for c in (*run.study.area.practices, *run.table.area_codes) if c in codes]
        if not chosen:
            raise StudyError(
                "The study names no practice that is in the table.",
                "study.toml, [area]",
                'Add practices = ["A81001"] with the codes of the practices that want a page.',
            )
        return chosen[0]
    code = practice.strip().upper()
    if code not in set(codes):
        raise StudyError(
            f"Practice {plain(practice)!r} is not in this run's table.",
            str(run.folder.name),
            _nearest(code, codes) or "Check the code, or the list of what did not match.",
        )
    return code


def _nearest(word: str, possible: list[str]) -> str:
    close = difflib.get_close_matches(word, possible, 1, 0.6)
    return f"Did you mean {close[0]}?" if close else ""


def _own_gates(gates: pd.DataFrame, metric: str, code: str | None = None) -> pd.DataFrame:
    here = gates["metric"].fillna("").isin(["", metric])
    if code is not None:
        here &= gates["practice_code"].fillna("").isin(["", code])
    return gates[here].reset_index(drop=True)


def practice_facts(run: Run, practice: str = "", metric: str = "") -> PracticeFacts:
    """Return what there is to say about one practice on one metric."""
    metric = choose_metric(run, metric)
    code = choose_practice(run, practice)
    analysis = run.analyses[metric]
    people = run.table.practices.set_index("practice_code")
    place = run.table.hierarchy.set_index("practice_code")
    name = people["practice_name"].get(code, "") if "practice_name" in people else ""
    icb = place["icb_code"].get(code, "")
    icb_name = place["icb_name"].get(code, "") if "icb_name" in place else ""
    frame = analysis.practices
    return PracticeFacts(
        run=run,
        card=catalogue.metric(metric),
        code=code,
        name=plain(name) or code,
        icb_code=plain(icb),
        icb_name=plain(icb_name) or plain(icb),
        analysis=analysis,
        rows=_records(frame[frame["practice_code"] == code]),
        spread=_records(analysis.spread),
        gates=_own_gates(run.table.gates, metric, code),
    )


def area_facts(run: Run, metric: str = "") -> AreaFacts:
    """Return what there is to say about the study's area on one metric."""
    metric = choose_metric(run, metric)
    analysis = run.analyses[metric]
    codes = tuple(run.table.area_codes)
    frame = analysis.practices[analysis.practices["practice_code"].isin(codes)].copy()
    people = run.table.practices
    names = (
        people.set_index("practice_code")["practice_name"].map(plain)
        if "practice_name" in people
        else pd.Series(dtype="str")
    )
    frame.insert(1, "practice_name", [names.get(c, "") or c for c in frame["practice_code"]])
    return AreaFacts(
        run=run,
        card=catalogue.metric(metric),
        name=plain(run.table.area_name) or plain(run.study.area.name),
        codes=codes,
        analysis=analysis,
        practices=frame,
        gates=_own_gates(run.table.gates, metric),
    )
