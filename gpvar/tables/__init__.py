"""Every table a reader sees: rows chosen and numbers written out, nothing computed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue, gates
from gpvar.dates import month_in_words
from gpvar.study import Period, months_between
from gpvar.tables._calibration import (
    calibration_apart,
    calibration_by_kind,
    calibration_by_measure,
    calibration_close,
    calibration_odds,
    calibration_rows,
)
from gpvar.tables._claims import claims_summary, methods_decisions
from gpvar.tables._passing import passing
from gpvar.tables._research import (
    methods_calibration,
    methods_coefficients,
    methods_design,
    methods_diagnostics,
    methods_evidence,
    methods_flow,
    methods_mundlak,
    methods_passing,
    methods_reliability,
    methods_spread,
    methods_variances,
)
from gpvar.tables._resources import resources_beside, resources_scenario
from gpvar.tables._robustness import (
    methods_other_ways,
    methods_other_ways_missing,
    standing_other_ways,
    standing_out_ways,
)
from gpvar.tables._standing import standing_ranks, standing_steps
from gpvar.tables._table import Table
from gpvar.tables._variation import variation_equity, variation_levels, variation_shares, variation_spread
from gpvar.words import boxes, figures, hidden, phrases, quality
from gpvar.words.facts import area_facts, practice_facts
from gpvar.words.text import count, known, number, plain, plural

if TYPE_CHECKING:
    from gpvar.results import Run

__all__ = [
    "Table",
    "area_methods",
    "area_positions",
    "area_practices",
    "area_standing_out",
    "calibration_apart",
    "calibration_by_kind",
    "calibration_by_measure",
    "calibration_close",
    "calibration_odds",
    "calibration_rows",
    "check_dates",
    "check_events",
    "check_files",
    "check_gates",
    "check_unmatched",
    "claims_summary",
    "methods_calibration",
    "methods_coefficients",
    "methods_decisions",
    "methods_design",
    "methods_diagnostics",
    "methods_evidence",
    "methods_flow",
    "methods_mundlak",
    "methods_other_ways",
    "methods_other_ways_missing",
    "methods_passing",
    "methods_reliability",
    "methods_spread",
    "methods_variances",
    "passing",
    "practice_rungs",
    "resources_beside",
    "resources_scenario",
    "standing_other_ways",
    "standing_ranks",
    "standing_steps",
    "variation_equity",
    "variation_levels",
    "variation_shares",
    "variation_spread",
]

RUNGS = ("M0", "M1", "M1-", "M2")
_MOST_NAMED = 100
#: For nearly every practice: a mark lets the eye find the others.
_UNMOVED = "\u2013"
#: What is shown code by code wherever the practice is: a person must look at each.
_NOWHERE = ("in this file, not measured", "in figures of other months, not in the study's")
_ONE_BY_ONE = ("in the list, not in the table", "in this file, not a practice code")


def _signed(card: Any, difference: float) -> str:
    if not known(difference):
        return "not known"
    if figures.is_nil(card, difference):
        return "none"
    size = figures.gap(card, difference).split(" ")[0]
    return f"{size} {figures.side(difference)}"


def _difference(card: Any, row: dict[str, Any]) -> str:
    return phrases.CONFIDENTIAL if figures.is_hidden(row) else _signed(card, figures.apart(card, row))


def _unit(card: Any) -> str:
    return f"% of {card.noun_denominator}" if figures.is_share(card) else card.unit


def practice_rungs(run: Run, practice: str = "", metric: str = "") -> Table:
    """Return a practice's place at every rung, against England and against its own ICB."""
    facts = practice_facts(run, practice, metric)
    card, against = facts.card, f"Against {facts.plain_names.reference}"
    rows = []
    for rung in RUNGS:
        row, local = facts.row(rung), facts.row(rung, "own_icb")
        if row is None:
            continue
        judged = row["position"] != "not_decidable"
        rows.append(
            {
                "What is allowed for": f"{phrases.RUNG_SHORT[rung]} ({phrases.RUNG_LABEL[rung]})",
                "Expected": figures.shown(card, row["centre"]) if judged else "not judged",
                "Difference": _difference(card, row) if judged else "not judged",
                against: phrases.POSITION[row["position"]],
                "Against own ICB": phrases.POSITION[local["position"]] if local else "not compared",
            }
        )
    columns = ["What is allowed for", "Expected", "Difference", against, "Against own ICB"]
    raw = facts.row("M0")
    hides = raw is not None and figures.is_hidden(raw)
    own = (
        ""
        if raw is None
        else f"This practice: {phrases.CONFIDENTIAL if hides else figures.amount(card, raw['value'])}. "
    )
    unit = _unit(card) if not figures.is_share(card) else "percentage points"
    middle = "At M0 the expected figure is that of the practice in the middle, not of all practices added together."
    return Table(
        pd.DataFrame(rows, columns=columns),
        f"{own}Expected and difference in {unit}. {middle}",
        f"{phrases.CONFIDENTIAL_MEANS}." if hides else "",
        f"{facts.code}_{card.id}_rungs",
    )


def area_positions(run: Run, metric: str = "") -> Table:
    """Return how many of the area's practices are at each position, per rung; nobody named."""
    facts = area_facts(run, metric)
    rungs = [r for r in RUNGS if len(facts.at(r))]
    counted = {r: facts.at(r)["position"].value_counts() for r in rungs}
    rows = [
        {
            "Position": phrase,
            **{phrases.RUNG_LABEL[r]: number(counted[r].get(code, 0)) for r in rungs},
        }
        for code, phrase in phrases.POSITION.items()
    ]
    return Table(
        pd.DataFrame(rows),
        f"Practices of the area at each position, against {facts.plain_names.reference}.",
        "; ".join(f"{phrases.RUNG_LABEL[r]}: {phrases.RUNG[r]}" for r in rungs) + ".",
        f"area_{facts.card.id}_positions",
    )


def area_methods(run: Run, metric: str = "") -> Table:
    """Return how many practices each method marks, in the area and in the reference set."""
    facts = area_facts(run, metric)
    name = facts.plain_names.reference
    everyone = f"All of {name}" if facts.plain_names.set != "england" else name
    rows = []
    for (method, rung), part in facts.analysis.methods.groupby(["method", "rung"], sort=False):
        by_scope = {r["scope"]: r for r in part.to_dict("records")}
        label = (
            phrases.METHOD["consistent_M1"]
            if (method, rung) == ("consistent", "M1")
            else phrases.METHOD.get(str(method), str(method))
        )
        rows.append(
            {"Method": label}
            | {name: _marked(by_scope.get(scope)) for scope, name in (("area", "Area"), ("england", everyone))}
        )
    return Table(
        pd.DataFrame(rows, columns=["Method", "Area", everyone]),
        "Practices outside 95% limits, with those outside 99.8% limits in brackets.",
        "",
        f"area_{facts.card.id}_methods",
    )


def _marked(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not known"
    outside = number(row["flagged_low_95"] + row["flagged_high_95"])
    far = number(row["flagged_low_99_8"] + row["flagged_high_99_8"])
    return f"{outside} ({far}) of {number(row['n'])}"


def area_practices(run: Run, metric: str = "") -> Table:
    """Return every practice of the area with its place before and after: for the area's owner only."""
    facts = area_facts(run, metric)
    card = facts.card
    raw = facts.at("M0").set_index("practice_code")
    judged = facts.at(facts.headline).set_index("practice_code")
    names = dict(zip(facts.practices["practice_code"], facts.practices["practice_name"], strict=True))
    secret = hidden.not_to_be_exported(facts.at("M0"), card)
    secret |= {str(code) for code in raw.index[hidden.by_supplier(raw)]}
    rows = [
        {"Code": code, "Practice": names.get(code, code)}
        | _place(card, _get(raw, code), _get(judged, code), code in secret)
        for code in sorted(facts.codes)
    ]
    columns = ["Code", "Practice", "Figure", "Expected", "Gap a week", "Raw"]
    columns += ["Patients", "What changed"] if facts.headline != "M0" else []
    unmoved = f"{_UNMOVED} means inside the usual range both times. " if facts.headline != "M0" else ""
    note = f"{phrases.CONFIDENTIAL_MEANS}, or because another could be worked out from it." if secret else ""
    return Table(
        pd.DataFrame(rows, columns=columns),
        f"Every practice, by code. {unmoved}Figure and expected in {_unit(card)}; the gap in {card.gap_unit}.",
        note,
        f"area_{card.id}_practices",
    )


def area_standing_out(run: Run, metric: str = "") -> Table | str:
    """Return the practices of the area outside the usual range, by code; nothing when there are none."""
    facts = area_facts(run, metric)
    frame = area_practices(run, metric).frame
    last = "Patients" if facts.headline != "M0" else "Raw"
    out = {phrases.POSITION[position] for position in boxes.FLAGGED}
    found = frame.loc[frame[last].isin(out), ["Code", "Practice", "Figure", last]]
    if found.empty:
        return ""
    shown = found.rename(columns={last: "Position"}).reset_index(drop=True)
    note = ""
    if facts.card.id in run.multiverse:
        ways = [standing_out_ways(run, str(code), facts.card.id) for code in shown["Code"]]
        shown["Outside in other ways"], shown["Hangs on"] = zip(*ways, strict=True)
        note = "Other ways of comparing, all of which allow for patients: how many is no probability."
    return Table(
        shown,
        f"{plural(len(found), 'practice')} outside the usual range, by code. Figure in {_unit(facts.card)}.",
        note,
        f"area_{facts.card.id}_standing_out",
    )


def _place(card: Any, before: pd.Series | None, after: pd.Series | None, secret: bool) -> dict[str, str]:
    """Return one practice's cells; [c] for what would tell a hidden count."""
    decided = after is not None and after["position"] != "not_decidable"
    figure = figures.shown(card, before["value"]) if before is not None else "no figure"
    gap = _weekly(after) if decided else "not judged"
    moved = phrases.movement_phrase(after["movement"] or "") or _UNMOVED if after is not None else ""
    return {
        "Figure": phrases.CONFIDENTIAL if secret else figure,
        "Expected": figures.shown(card, after["centre"]) if after is not None and decided else "not judged",
        "Gap a week": phrases.CONFIDENTIAL if secret and decided else gap,
        "Raw": phrases.POSITION[before["position"] if before is not None else "not_decidable"],
        "Patients": phrases.POSITION[after["position"] if after is not None else "not_decidable"],
        "What changed": moved if decided else "not judged",
    }


def _get(frame: pd.DataFrame, code: str) -> pd.Series | None:
    return frame.loc[code] if code in frame.index else None


def _weekly(row: pd.Series | None) -> str:
    if row is None or not known(row["gap_per_week"]):
        return "not known"
    size = count(row["gap_per_week"]).lstrip("\u2212")
    return size if size in ("less than 1", "0") else f"{size} {'fewer' if row['gap_per_week'] < 0 else 'more'}"


def check_gates(table: Any) -> Table:
    """Return every check of the data and its state."""
    return Table(quality.gate_rows(table.gates), "Checks of the data.", "", "gates")


def check_unmatched(table: Any) -> Table:
    """Return what did not match: the area's own practices and strange codes one by one, the others counted."""
    frame = table.unmatched
    in_area = frame["practice_code"].isin(table.area_codes)
    own = in_area | frame["side"].isin(_ONE_BY_ONE)
    named = pd.concat([frame[in_area], frame[own & ~in_area]]).head(_MOST_NAMED)
    rest = frame.assign(own=own).drop(index=named.index)
    rows = [(plain(r.practice_code), r.side, r.detail) for r in named.itertuples()]
    for (side, detail, listed), part in rest.groupby(["side", "detail", "own"], sort=False):
        n = part["practice_code"].nunique()
        # Of a practice without figures it is not known where it is.
        where = "" if side in _NOWHERE else " outside the area"
        who = f"{number(n)} more" if listed else f"{plural(n, 'practice')}{where}"
        rows.append((who, side, detail))
    shown = pd.DataFrame(
        [
            (who, quality.UNMATCHED.get(str(side), (plain(side),))[0], plain(detail, 600) or "none")
            for who, side, detail in rows
        ],
        columns=["Practice", "What did not match", "Detail"],
    )
    return Table(shown, "The area's own practices first, one by one; the others are counted.", "", "unmatched")


def check_dates(table: Any) -> Table:
    """Return the date of each characteristic that is allowed for, beside the period of the figures."""
    period = table.study.period
    used = {c for metric in table.study.metrics for c in gates.declared_covariates(table.study, metric)}
    rows = [
        {
            "Characteristic": catalogue.covariate(name).title,
            "Of": month_in_words(month),
            "Beside the figures": _beside(month, period),
        }
        for name, month in sorted(table.dates.items(), key=lambda item: (item[1], item[0]))
        if name in used
    ]
    columns = ["Characteristic", "Of", "Beside the figures"]
    return Table(pd.DataFrame(rows, columns=columns), "When the characteristics were measured.", "", "dates")


def _beside(month: str, period: Period) -> str:
    before, after = months_between(month, period.start), months_between(period.end, month)
    if before > 0:
        return f"{plural(before, 'month')} before the period"
    return f"{plural(after, 'month')} after the period" if after > 0 else "within the period"


def check_events(table: Any) -> Table:
    """Return what happened to practices, and what was done about it."""
    shown = pd.DataFrame(
        {
            "Practice": table.events["code"].map(plain),
            "Event": table.events["event"].map(lambda event: plain(event).replace("_", " ")),
            "Date": table.events["date"].map(plain),
            "Successor": [plain(code) or "none" for code in table.events["successor"]],
            "What was done": [plain(done, 600) for done in table.events["done"]],
        }
    )
    return Table(shown, "Events of practices.", "", "events")


def _edition(text: str) -> str:
    return month_in_words(text) if re.fullmatch(r"\d{4}-\d\d", text) else text or "not stated"


def check_files(table: Any) -> Table:
    """Return the files that were read."""
    rows = [
        {
            "File": f"{plain(r['file'])} ({plain(r['sheet'])})" if plain(r.get("sheet")) else plain(r["file"]),
            "Rows read": number(r["rows_read"]),
            "Rows kept": number(r["rows_kept"]),
            "Rows left out": plain(r.get("reason"), 300) or "none",
            "Edition": _edition(plain(r.get("edition"))),
            "SHA-256": plain(r["sha256"])[:12],
        }
        for r in table.provenance.to_dict("records")
    ]
    columns = ["File", "Rows read", "Rows kept", "Rows left out", "Edition", "SHA-256"]
    return Table(pd.DataFrame(rows, columns=columns), "Files read.", "", "files")
