"""The numbers behind a page: a workbook and a tidy CSV, for one practice or for an area."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from gpvar import schema
from gpvar.reporting import beside, ways, workbook
from gpvar.reporting.files import csv_for_people
from gpvar.words import area_facts, hidden, phrases, practice_facts
from gpvar.words.boxes import warning
from gpvar.words.console import without_markdown
from gpvar.words.sources import declared, licences
from gpvar.words.standing_facts import Standing, standing

if TYPE_CHECKING:
    from gpvar.results import Run

#: What the practice's figure is made of, and its rank: table → sheet and its title.
STANDING = {
    "effects": ("Lasting", "What lasts of the practice's figure, and what may be said of its rank"),
    "waterfall": ("Parts", "What the practice's figure is made of; the changes add up to it"),
    "similar": ("Like it", "The practices most like it, together; none of them is named"),
    "reach": ("Target", "Who reaches the target"),
}
#: Sheet → its table.
PRACTICE_TABLES = {
    "Results": "analysis_practices", "Spread": "spread", **{sheet: name for name, (sheet, _) in STANDING.items()},
    "Checks": "gates", "Files": "provenance",
}  # fmt: skip
#: Where the variation comes from: table → sheet and its title. The boards are in neither: they are other ICBs.
VARIATION = {
    "shares": ("Shares", "Where the variation between practices comes from"),
    "levels": ("Levels", "How far apart ICBs, networks and practices are"),
    "rungs": ("Spread in the model", "The model's spread at every rung, beside the one practices are judged by"),
    "equity": ("Deprivation", "The average figure by fifth of deprivation, raw and after"),
    "board_slopes": ("Patients or place", "What an ICB's mix of patients adds to the practice's own"),
    "coefficients": ("Model", "Coefficients of the multilevel model; they describe practices, not patients"),
}
AREA_TABLES = {
    "Methods": "methods", "Spread": "spread", "Calibration": "calibration", "Fits": "fits", "Checks": "gates",
    "Files": "provenance", **{sheet: name for name, (sheet, _) in VARIATION.items()},
}  # fmt: skip
PRIVATE_TABLES = {
    "Practices": "analysis_practices", "Checks": "gates", "Unmatched": "unmatched", "Left out": "excluded",
}  # fmt: skip

#: What a reader of the workbook wants to see; the CSV beside it holds every column, and opens in a tenth of the time.
READ = (
    "practice_code", "practice_name", "metric", "rung", "comparator", "observed", "denominator", "value", "centre",
    "adjusted", "difference", "difference_lower", "difference_upper", "lower_95", "upper_95", "lower_99_8",
    "upper_99_8", "z", "position", "movement", "explained_share", "percentile", "gap_per_week", "exceeds_margin",
    "in_fit",
)  # fmt: skip


def practice_rows(run: Run, practice: str, metric: str) -> pd.DataFrame:
    """Return the practice's own rows, and nobody else's."""
    frame = run.analyses[metric].practices
    rows = frame[frame["practice_code"] == practice].reset_index(drop=True)
    rows.insert(1, "metric", metric)
    return hidden.masked(rows)


def standing_rows(run: Run, practice: str, metric: str, table: str) -> pd.DataFrame:
    """Return what one table says of the practice itself; of the practices like it, only what they are together."""
    found = standing(run, practice, metric)
    if table == "similar":
        rows = pd.DataFrame(_similar(found), columns=schema.names(table))
    else:
        frame = getattr(run.analyses[metric], table)
        frame = frame[frame["practice_code"] == practice]
        rows = frame.iloc[:0] if found.stopped else frame.reset_index(drop=True)
    rows.insert(1, "metric", metric)
    return rows


def _similar(found: Standing) -> list[tuple[object, ...]]:
    near, raw = found.neighbours, found.facts.row("M0")
    if not near.values or found.stopped or raw is None:
        return []
    low, high = near.values[0], near.values[-1]
    counted = (near.below(raw["value"]), near.above(raw["value"]))
    return [(found.facts.code, len(near.values), near.withheld, low, near.middle, high, *counted)]


def area_rows(run: Run, metric: str) -> pd.DataFrame:
    """Return the rows of the area's practices for its owner, with [c] where a small count must stay hidden."""
    facts = area_facts(run, metric)
    return hidden.masked(facts.practices, hidden.not_to_be_exported(facts.at("M0"), facts.card))


def practice_workbook(run: Run, practice: str, metrics: list[str]) -> bytes:
    """Return a practice's workbook: its own rows on every metric, what they are judged against, its gates."""
    facts = [practice_facts(run, practice, metric) for metric in metrics]
    spread = pd.concat([f.analysis.spread.assign(metric=f.card.id) for f in facts], ignore_index=True)
    gates = pd.concat([f.gates for f in facts], ignore_index=True).drop_duplicates(ignore_index=True)
    sheets = {
        "Results": (
            "This practice at every rung, against both comparators",
            pd.concat([practice_rows(run, practice, m) for m in metrics], ignore_index=True),
        ),
        "Spread": ("The shared spread the practice is judged against", spread),
        **{
            sheet: (title, frame)
            for name, (sheet, title) in STANDING.items()
            if len(frame := pd.concat([standing_rows(run, practice, m, name) for m in metrics], ignore_index=True))
        },
        **beside.sheets(run, metrics, practice),
        **ways.practice_sheets(run, metrics, practice),
        "Checks": ("Checks of the data that concern this practice", gates),
        "Files": ("Files that were read", run.table.provenance),
    }
    first = facts[0]
    return workbook.build(
        f"{first.name} ({first.code}), {first.meta['period_label']}",
        _notes(run, metrics, False),
        sheets,
        _tables(sheets, PRACTICE_TABLES),
        reading=ways.READING,
    )


def area_workbook(run: Run, metrics: list[str], private: bool) -> bytes:
    """Return an area's workbook: with every practice for the area's owner, with none when it is to be sent."""
    facts = area_facts(run, metrics[0])
    analyses = {m: run.analyses[m] for m in metrics}
    reference = facts.plain_names.reference

    def together(name: str) -> pd.DataFrame:
        return pd.concat([getattr(a, name).assign(metric=m) for m, a in analyses.items()], ignore_index=True)

    gates = run.table.gates
    if private:
        every = [area_rows(run, m).assign(metric=m) for m in metrics]
        sheets = {
            "Practices": ("Every practice of the area, by code", pd.concat(every, ignore_index=True)[list(READ)]),
            **ways.owner_sheets(run, metrics),
            **beside.sheets(run, metrics),
            "Checks": ("Checks of the data for this area", gates[gates["practice_code"].isin(["", *facts.codes])]),
            "Unmatched": ("What did not match", run.table.unmatched),
            "Left out": ("Practices left out of the fit and placed against it", run.table.excluded),
        }
    else:
        sheets = {
            "Methods": ("How many practices each method marks", together("methods")),
            "Spread": ("The shared spread at every rung", together("spread")),
            "Calibration": (f"How well the comparison made on {reference} fits the area", together("calibration")),
            "Fits": (
                "Point estimates; they describe practices, not patients, and are not interpreted",
                together("fits"),
            ),
            "Checks": ("Checks of the whole table", gates[gates["practice_code"] == ""]),
            "Files": ("Files that were read", run.table.provenance),
        }
        found = {name: (sheet, title, together(name)) for name, (sheet, title) in VARIATION.items()}
        sheets |= {sheet: (title, frame) for sheet, title, frame in found.values() if len(frame)}
        sheets |= ways.area_sheets(run, metrics)
    tables = _tables(sheets, PRIVATE_TABLES if private else AREA_TABLES)
    title = f"{facts.name}, {facts.meta['period_label']}"
    return workbook.build(title, _notes(run, metrics, private), sheets, tables, reading=ways.READING)


def _tables(sheets: Iterable[str], mine: Mapping[str, str]) -> dict[str, str]:
    """Return sheet → its table, in the order of the sheets."""
    known = {**mine, **beside.TABLES, **ways.TABLES}
    return {sheet: known[sheet] for sheet in sheets}


def dictionary(tables: Iterable[str]) -> bytes:
    """Return the data dictionary of the tables as a CSV for people."""
    return csv_for_people(schema.data_dictionary(tables))


def _notes(run: Run, metrics: list[str], private: bool) -> list[str]:
    simulated = bool(run.meta.get("simulated"))
    lines = [phrases.SIMULATED] if simulated else []
    lines += [phrases.PRIVATE_LONG] if private else []
    lines.append(without_markdown(declared(run, everything=True)))
    lines.append(
        f"{phrases.CONFIDENTIAL_MEANS}: by the file's supplier, or here, because the ICB supplied it in confidence "
        "or because another hidden count could be worked out from it."
    )
    for metric in metrics:
        card = area_facts(run, metric).card
        lines.append(
            f"{card.title}. Counted: {card.numerator} Divided by: {card.denominator} {card.definition_note}".strip()
        )
        lines += [f"{card.title} can mislead: {warning(a)}" for a in card.artefacts]
        lines += [f"{card.title}, a fault of the definition: {fault}" for fault in card.validity_faults]
        lines.append(
            licences(
                card,
                sorted({c for ids in run.analyses[metric].meta.get("covariates", {}).values() for c in ids}),
                simulated,
            )
        )
    return list(dict.fromkeys(lines))
