"""A small invented run in the contract's columns, for tests of pages and pictures.

The numbers are drawn, not fitted: these tests are about what is said and shown, not about what is estimated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from gpvar import schema
from gpvar.results import Analysis, Note, Run
from gpvar.words import hidden

RUNGS = ("M0", "M1", "M1-", "M2")
COMPARATORS = ("england", "own_icb")
AREA_METHODS = ("none", "multiplicative", "cqc", "shmi", "dersimonian-laird", "consistent")


@dataclass(frozen=True)
class Card:
    """The fields of a metric card that words and charts read."""

    id: str = "same_day_share"
    title: str = "Same-day share"
    short: str = "same-day share"
    question: str = "What share of appointments is held on the day it is booked?"
    numerator: str = "appointments held on the day they were booked"
    denominator: str = "all appointments"
    noun_numerator: str = "appointments held on the day they were booked"
    noun_denominator: str = "appointments"
    source: str = "gpad"
    kind: str = "proportion"
    unit: str = "%"
    scale: float = 100.0
    better: str = "unknown"
    margin: float = 5.0
    gap_unit: str = "appointments"
    activity: bool = True
    adjust: dict = field(default_factory=dict)
    artefacts: tuple = (
        {"what": "How slots are labelled", "misleads": "a practice that books triage calls as slots looks busier"},
    )
    gates: tuple = ()
    definition_status: str = "in use"
    definition_note: str = ""
    formula: str = "same-day ÷ all"
    validity_faults: tuple = ()
    author: str = "gpvar"
    reviewed: date = date(2026, 11, 1)
    version: int = 1


RATE = Card(
    id="appointments_per_1000",
    title="Appointments per 1,000 patients",
    short="appointments per 1,000 patients",
    question="How many appointments are recorded?",
    numerator="all appointments",
    denominator="registered patients, month by month",
    noun_numerator="appointments",
    noun_denominator="patients",
    kind="rate",
    unit="appointments per 1,000 patients a month",
    scale=1000.0,
    margin=10.0,
)


def _link(value, kind):
    return np.log(value / (1 - value)) if kind == "proportion" else np.log(value)


def _inverse(value, kind):
    return 1 / (1 + np.exp(-value)) if kind == "proportion" else np.exp(value)


def practice_rows(card: Card, n: int, n_icb: int, seed: int = 1, names: dict[int, str] | None = None):
    """Return the analysis frame and the spread frame of `n` invented practices."""
    rng = np.random.default_rng(seed)
    codes = np.array([f"X{10001 + i}" for i in range(n)])
    icb = np.array([f"Q{chr(65 + i % n_icb)}{chr(65 + i % n_icb)}" for i in range(n)])
    size = rng.lognormal(np.log(60_000), 0.6, n)
    base = 0.44 if card.kind == "proportion" else 0.45
    need = rng.normal(0, 0.2, n)
    own = rng.standard_t(6, n) * 0.35
    truth = _inverse(_link(base, card.kind) + need + own, card.kind)
    denominator = np.round(size)
    observed = np.round(truth * denominator)
    frames, spreads = [], []
    for rung in RUNGS:
        for comparator in COMPARATORS:
            part = {"M0": 0, "M1": 0.8, "M1-": 0.7, "M2": 0.9}[rung]
            shift = (
                pd.Series(own).groupby(icb).transform("median").to_numpy() if comparator == "own_icb" else 0
            ) + np.zeros(n)
            theta = _link(base, card.kind) + part * need + shift
            residual = _link(observed / denominator, card.kind) - theta
            tau = float(np.std(residual)) * 0.93
            frames.append(_frame(card, codes, icb, observed, denominator, theta, residual, tau, rung, comparator, base))
            spreads.append(_spread(card, n, tau, theta, rung, comparator))
    frame = pd.concat(frames, ignore_index=True)
    _add_movement(frame)
    return frame, pd.DataFrame(spreads), codes, icb


def _frame(card, codes, icb, observed, denominator, theta, residual, tau, rung, comparator, base):
    kind = card.kind
    centre = _inverse(theta, kind)
    value = observed / denominator
    s = np.sqrt(1 / (denominator * centre * ((1 - centre) if kind == "proportion" else 1)))
    z = residual / np.sqrt(s**2 + tau**2)
    limit = lambda k, spread: _inverse(theta + k * spread, kind)  # noqa: E731
    total = np.sqrt(s**2 + tau**2)
    rank = pd.Series(z).rank().to_numpy()
    flag = np.select([z < -3.09, z > 3.09, z < -1.96, z > 1.96], ["low_99_8", "high_99_8", "low_95", "high_95"], "")
    position = np.select([abs(z) <= 1.96, abs(z) <= 3.09], ["usual", "unusual"], "far_outside")
    gap = observed - centre * denominator
    return pd.DataFrame(
        {
            "practice_code": codes,
            "rung": rung,
            "comparator": comparator,
            "observed": observed,
            "denominator": denominator,
            "value": value,
            "centre": centre,
            "expected": centre * denominator,
            "ratio": value / centre,
            "ratio_lower": value / centre * np.exp(-1.96 * s),
            "ratio_upper": value / centre * np.exp(1.96 * s),
            "adjusted": _inverse(_link(base, kind) + residual, kind),
            "difference": value - centre,
            "difference_lower": limit(0, s) * 0 + _inverse(theta + residual - 1.96 * s, kind) - centre,
            "difference_upper": _inverse(theta + residual + 1.96 * s, kind) - centre,
            "lower_95": limit(-1.96, total),
            "upper_95": limit(1.96, total),
            "lower_99_8": limit(-3.09, total),
            "upper_99_8": limit(3.09, total),
            "sampling_lower_95": limit(-1.96, s),
            "sampling_upper_95": limit(1.96, s),
            "sampling_lower_99_8": limit(-3.09, s),
            "sampling_upper_99_8": limit(3.09, s),
            "z_sampling": residual / s,
            "z": z,
            "p": 2 * np.exp(-(z**2) / 2),
            "q": 1.0,
            "flag_sampling": np.where(residual < 0, "low_99_8", "high_99_8"),
            "flag": flag,
            "position": position,
            "movement": "",
            "explained_share": np.nan,
            "percentile": (rank - 1) / len(codes) * 100,
            "rank": rank,
            "ranked": len(codes),
            "gap_count": gap,
            "gap_per_week": gap / 52.14,
            "exceeds_margin": abs(value - centre) * card.scale > card.margin,
            "in_fit": True,
            "link_residual": residual,
        }
    )


def _spread(card, n, tau, theta, rung, comparator):
    middle = float(np.median(theta))
    return {
        "rung": rung,
        "comparator": comparator,
        "n": n,
        "p": 1 if rung == "M0" else 8,
        "tau2": tau**2,
        "tau": tau,
        "centre_link": middle,
        "centre": float(_inverse(middle, card.kind)),
        "expected_total_ratio": 1.01,
        "middle_lower": float(_inverse(middle - 1.96 * tau, card.kind)),
        "middle_upper": float(_inverse(middle + 1.96 * tau, card.kind)),
        "skewness": -0.2,
        "kurtosis": 3.6,
        "flagged_95": 14,
        "flagged_99_8": 2,
        "expected_flags_95_normal": n * 0.05,
        "expected_flags_99_8_normal": n * 0.002,
        "expected_flags_95_t": n * 0.05,
        "expected_flags_99_8_t": n * 0.005,
        "t_df": 6.0,
        "phi": 900.0,
        "overdispersion_p": 0.0,
    }


def _add_movement(frame):
    for comparator in COMPARATORS:
        here = frame["comparator"] == comparator
        zero = frame[here & (frame["rung"] == "M0")].set_index("practice_code")["z"]
        for rung in RUNGS[1:]:
            rows = here & (frame["rung"] == rung)
            z0 = frame.loc[rows, "practice_code"].map(zero).to_numpy()
            z = frame.loc[rows, "z"].to_numpy()
            share = 1 - z / z0
            flagged = abs(z0) > 1.96
            moved = np.select(
                [flagged & (abs(z) <= 1.96) & (share >= 0.5), flagged & (share >= 0.25), flagged, abs(z) > 1.96],
                ["explained", "partly_explained", "not_explained", "revealed"],
                "",
            )
            frame.loc[rows, "movement"] = moved
            frame.loc[rows, "explained_share"] = np.where(flagged, share, np.nan)


def analysis(card: Card, n: int = 200, n_icb: int = 4) -> Analysis:
    """Return an invented analysis of `n` practices."""
    frame, spread, _, icb = practice_rows(card, n, n_icb)
    m0 = frame[(frame["rung"] == "M0") & (frame["comparator"] == "england")]
    area = icb == "QAA"
    value = m0["observed"].sum() / m0["denominator"].sum()
    by_icb = m0.groupby(icb)[["observed", "denominator"]].sum()
    names = [*AREA_METHODS, "consistent"]
    methods = pd.DataFrame(
        {
            "method": name,
            "rung": "M1" if i == len(AREA_METHODS) else "M0",
            "scope": scope,
            "n": size,
            "flagged_low_95": low,
            "flagged_high_95": low + 1,
            "flagged_low_99_8": low // 3,
            "flagged_high_99_8": low // 4,
        }
        for scope, size in (("area", int(area.sum())), ("england", n))
        for i, (name, low) in enumerate(
            zip(names, (size // 3, size // 30, size // 5, size // 8, size // 35, size // 38, size // 40), strict=True)
        )
    )
    fits = pd.DataFrame(
        {
            "rung": ["M1", "M1"],
            "term": ["imd2025.1", "age_sex.share_0_4"],
            "covariate": ["imd2025", "age_sex"],
            "estimate": [0.1, 0.2],
            "note": "",
        }
    )
    calibration = pd.DataFrame(
        {
            "rung": list(RUNGS),
            "scope": "area",
            "n": int(area.sum()),
            "mean_residual": [0.05, 0.03, 0.03, 0.02],
            "slope": [np.nan, 1.1, 1.0, 0.9],
            "slope_lower": [np.nan, 0.7, 0.6, 0.5],
            "slope_upper": [np.nan, 1.5, 1.4, 1.3],
            "sd_within": [0.35, 0.33, 0.33, 0.32],
        }
    )
    meta: dict[str, Any] = {
        "metric": card.id,
        "kind": card.kind,
        "scale": card.scale,
        "period_label": "April 2025 to March 2026",
        "weeks": 52.14,
        "n_practices": n,
        "n_fitted": n - 3,
        "n_area": int(area.sum()),
        "england_value": float(value),
        "icb_value": {k: float(r.observed / r.denominator) for k, r in by_icb.iterrows()},
        "area_value": float(m0["observed"][area].sum() / m0["denominator"][area].sum()),
        "rungs": list(RUNGS),
        "covariates": {
            "M0": [],
            "M1": ["age_sex", "imd2025", "qof_dm"],
            "M1-": ["age_sex", "imd2025"],
            "M2": ["age_sex", "imd2025", "qof_dm", "rurality"],
        },
        "dropped": {"ethnicity": "no source in this study"},
        "has_months": False,
        "headline_rung": "M1",
        "comparators": list(COMPARATORS),
        "extrapolated": [],
    }
    notes = (Note("expected_total_ratio", {"rung": "M1", "ratio": 1.01}),)
    tables = variation_frames() | practice_frames(card, frame, area)
    return Analysis(frame, spread, methods, fits, calibration, **tables, notes=notes, meta=meta)


def practice_frames(
    card: Card | None = None, frame: pd.DataFrame | None = None, area: Any = None
) -> dict[str, pd.DataFrame]:
    """Return the tables of single practices; without a card, all of them without rows."""
    names = ("effects", "waterfall", "neighbours", "reach", "passing", "models", "diagnostics", "resources", "supply")
    found = {name: pd.DataFrame(columns=schema.names(name)) for name in names}
    if card is None:
        return found
    at = {r: frame[(frame["rung"] == r) & (frame["comparator"] == "england")] for r in ("M0", "M1", "M2")}
    found["effects"] = pd.concat([_effects(card, at[rung], rung) for rung in ("M0", "M1")], ignore_index=True)
    found["waterfall"] = _waterfall(card, {rung: rows[area] for rung, rows in at.items()})
    found["neighbours"] = _neighbours(at["M1"], np.flatnonzero(area))
    return found


def _effects(card, rows, rung):
    """Return what an invented model says of every practice: a year's figure, of which 0.94 lasts."""
    kind, residual, value = card.kind, rows["link_residual"].to_numpy(), rows["value"].to_numpy()
    # What lasts of the raw figure; with patients allowed for, that of a practice with a typical mix of them.
    theta = _link(rows["centre"].to_numpy(), kind) if rung == "M0" else np.median(_link(rows["centre"], kind))
    between = float(np.var(residual))
    sampling = 1 / (rows["denominator"].to_numpy() * value * ((1 - value) if kind == "proportion" else 1))
    transient = 0.06 * between
    lasts = between / (between + sampling + transient)
    effect, se = lasts * residual, np.sqrt((1 - lasts) * between)
    n, place = len(rows), pd.Series(effect).rank().to_numpy()
    near = np.maximum(4, 0.03 * n)
    p_bottom = 1 / (1 + np.exp((place - n / 10) / (near / 3)))
    p_top = 1 / (1 + np.exp((0.9 * n - place) / (near / 3)))
    lasting = {
        f"shrunken{end}": _inverse(theta + effect + k * se, kind)
        for end, k in (("", 0), ("_lower", -1.96), ("_upper", 1.96))
    }
    return pd.DataFrame(
        {
            "practice_code": rows["practice_code"].to_numpy(),
            "rung": rung,
            "effect": effect,
            "effect_lower": effect - 1.96 * se,
            "effect_upper": effect + 1.96 * se,
            **lasting,
            "between": between,
            "sampling": sampling,
            "transient": transient,
            "reliability": lasts,
            "rule": "full",
            "rank_median": place,
            "rank_lower": np.maximum(1, np.round(place - near)),
            "rank_upper": np.minimum(n, np.round(place + near)),
            "p_bottom": p_bottom,
            "p_top": p_top,
            "ranked": n,
            "months_for_0_7": 1.7,
            "months_for_0_9": 6.5,
        }
    )[schema.names("effects")]


def _waterfall(card, at):
    """Return the invented steps of the area's practices, exactly additive."""
    kind, raw = card.kind, at["M0"]
    value = raw["value"].to_numpy()
    start = float(_inverse(np.median(_link(raw["centre"], kind)), kind))
    need = at["M1"]["centre"].to_numpy() - start
    context = at["M2"]["centre"].to_numpy() - start - need
    rest = value - start - need - context
    changes = {"need": need, "context": context, "place": 0.2 * rest, "own": 0.7 * rest}
    changes["remainder"] = value - start - sum(changes.values())
    rows, reached = [], np.full(len(raw), start)
    for step, change in {"reference": np.zeros(len(raw)), **changes}.items():
        reached = reached + change
        link = _link(start, kind) if step == "reference" else change * 4
        rows.append(
            pd.DataFrame(
                {
                    "practice_code": raw["practice_code"].to_numpy(),
                    "step": step,
                    "link": link,
                    "change": change,
                    "reached": reached,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _neighbours(rows, wanted):
    """Return the ten practices whose expectation is nearest, for each wanted row."""
    centre, codes, value = (rows[c].to_numpy() for c in ("centre", "practice_code", "value"))
    made = []
    for i in wanted:
        gap = np.abs(centre - centre[i])
        gap[i] = np.inf
        for place, j in enumerate(np.argsort(gap, kind="stable")[:10], start=1):
            made.append((codes[i], place, codes[j], 0.2 * place, value[j]))
    return pd.DataFrame(made, columns=schema.names("neighbours"))


def variation_frames() -> dict[str, pd.DataFrame]:
    """Return invented tables of where the variation comes from, with every column of the schema."""

    def frame(table: str, *rows: tuple) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=schema.names(table))

    levels = [
        (rung, level, units, sd * shrink, 0.8 * sd * shrink, 1.2 * sd * shrink, (sd * shrink) ** 2, change, ratio)
        for rung, shrink, change in (("M0", 1.0, 0.0), ("M1", 0.8, 0.36), ("M2", 0.79, 0.376))
        for level, units, sd, ratio in (
            ("icb", 42, 0.13, 1.13),
            ("pcn", 1200, 0.17, 1.18),
            ("practice", 6000, 0.4, 1.46),
        )
    ]
    shares = [
        ("M2", "need", 0.040, 0.20, 0.16, 0.24),
        ("M2", "context", 0.006, 0.03, 0.01, 0.05),
        ("M2", "neighbours", 0.040, 0.20, 0.16, 0.25),
        ("M2", "practice", 0.112, 0.56, 0.51, 0.60),
        ("M2", "noise", 0.002, 0.01, 0.009, 0.011),
    ]
    rungs = [
        (rung, 6000, v, t, v / t, 0.002, 0.004, 0.001, 0.25, 0.65, 0.28, 0.58, 0.29, 0.57, moved, movers, 0.07, 0.001)
        for rung, v, t, moved, movers in (
            ("M0", 0.2, 0.19, 0.0, 0),
            ("M1", 0.15, 0.12, 0.06, 530),
            ("M2", 0.149, 0.119, 0.065, 600),
        )
    ]
    equity = [
        (rung, fifth, 1200, base + step * fifth, 4 * step, 5 * step, 4.5 * step, 5.5 * step)
        for rung, base, step in (("M0", 0.40, 0.01), ("M1", 0.43, 0.001))
        for fifth in range(1, 6)
    ]
    return {
        "levels": frame("levels", *levels),
        "coefficients": frame(
            "coefficients",
            ("M0", "intercept", -0.3, 0.02, -0.34, -0.26, -15.0, 0.0),
            ("M1", "imd2025", 0.05, 0.01, 0.03, 0.07, 5.0, 1e-6),
        ),
        "shares": frame("shares", *shares),
        "rungs": frame("rungs", *rungs),
        "equity": frame("equity", *equity),
        "boards": frame("boards", ("QAA", 100, 0.40, 0.41, 1), ("QBB", 150, 0.5, 0.49, 3), ("QCC", 50, 0.42, 0.43, 2)),
        "board_slopes": frame("board_slopes", ("imd2025", 0.02, 0.05, -0.08, 0.12, 0.69, 0.69)),
    }


def gates(codes, metric) -> pd.DataFrame:
    """Return invented gates in all three states."""
    return pd.DataFrame(
        [
            ("denominator_missing", "stop", "passed", "", metric, 0.0, ""),
            ("list_jump", "warn", "failed", codes[1], metric, 22.0, "list changed by 22 % in a month"),
            ("list_jump", "warn", "passed", "", metric, np.nan, ""),
            ("mapping_step", "warn", "could not be checked", "", metric, np.nan, "no categories in this study"),
            ("covariate_date", "warn", "could not be checked", "", "", np.nan, "no dates given"),
        ],
        columns=["gate", "severity", "state", "practice_code", "metric", "value", "detail"],
    )


def make_run(
    folder: Path, cards: tuple[Card, ...] = (Card(),), n: int = 200, names: dict[int, str] | None = None, simulated=True
) -> Run:
    """Return an invented run whose first ICB is the area and whose first two practices have a page."""
    analyses = {card.id: analysis(card, n) for card in cards}
    first = next(iter(analyses.values()))
    codes = first.practices["practice_code"].unique()
    icb = np.array([f"Q{chr(65 + i % 4)}{chr(65 + i % 4)}" for i in range(n)])
    labels = [f"Invented Surgery {i}" for i in range(n)]
    for i, name in (names or {}).items():
        labels[i] = name
    table = SimpleNamespace(
        dates={"imd2025": "2025-10", "qof_dm": "2025-03"},
        practices=pd.DataFrame(
            {"practice_code": codes, "practice_name": labels, "list_size": 9000.0, "list_jump_pct": 1.0}
        ),
        hierarchy=pd.DataFrame(
            {
                "practice_code": codes,
                "pcn_code": "U00001",
                "sub_icb_code": "",
                "icb_code": icb,
                "icb_name": "Invented " + pd.Series(icb),
                "region_code": "Y00",
            }
        ),
        periods=pd.DataFrame(columns=schema.names("periods")),
        outcomes=pd.DataFrame(
            columns=["practice_code", "metric", "numerator", "denominator", "numerator_low", "numerator_high", "state"]
        ),
        provenance=pd.DataFrame(
            [("local", "england.csv", "ab" * 32, 12345, n, n, 0, "", "2025/26", "2025-04..2026-03")],
            columns=[
                "source",
                "file",
                "sha256",
                "bytes",
                "rows_read",
                "rows_kept",
                "rows_dropped",
                "reason",
                "edition",
                "dates",
            ],
        ),
        unmatched=pd.DataFrame(
            [("X99999", "asked for, not in the data", "")], columns=["practice_code", "side", "detail"]
        ),
        gates=pd.concat([gates(codes, card.id) for card in cards], ignore_index=True),
        area_codes=tuple(codes[icb == "QAA"]),
        area_name="Invented QAA",
        excluded=pd.DataFrame(columns=["practice_code", "gate"]),
    )
    study = SimpleNamespace(
        schema=1,
        title="Invented study",
        seed=1,
        declared=date(2026, 4, 14),
        metrics=tuple(analyses),
        simulated=simulated,
        period=SimpleNamespace(
            start="2025-04", end="2026-03", months=12, weeks=52.14, label="April 2025 to March 2026"
        ),
        area=SimpleNamespace(kind="icb", code="QAA", file=None, name="Invented QAA", practices=(codes[0], codes[4])),
        reports=SimpleNamespace(kinds=("practice", "area"), formats=("html", "docx")),
        folder=folder,
        path=folder / "study.toml",
        hash="0" * 64,
    )
    meta = {
        "key": "0" * 64,
        "created": "2026-11-22T00:00:00",
        "versions": {"gpvar": "0.1.0", "numpy": np.__version__},
        "simulated": simulated,
    }
    return Run(study, table, analyses, folder / "results" / ("0" * 12), meta)


def changed(run: Run, metric: str, change: Callable[[pd.DataFrame], pd.DataFrame], **meta: Any) -> Run:
    """Return the run with the practices of one analysis changed, and its description with them."""
    found = run.analyses[metric]
    altered = dataclasses.replace(found, practices=change(found.practices.copy()), meta=found.meta | meta)
    return dataclasses.replace(run, analyses={**run.analyses, metric: altered})


def hide(frame: pd.DataFrame, code: str, low: float = 0.0, high: float = 4.0) -> pd.DataFrame:
    """Hide one practice's count as its supplier would: two ends, no figure, the position kept."""
    frame["observed_low"], frame["observed_high"] = frame["observed"], frame["observed"]
    mine = frame["practice_code"] == code
    frame.loc[mine, ["observed_low", "observed_high"]] = [low, high]
    frame.loc[mine, [c for c in hidden.OF_THE_COUNT if not c.startswith("observed_")]] = np.nan
    return frame


def only_raw(run: Run, metric: str) -> Run:
    """Return the run as it is when there was nothing to allow for."""
    found = run.analyses[metric]
    meta = found.meta | {
        "rungs": ["M0"],
        "covariates": {"M0": []},
        "dropped": {"imd2025": "no source"},
        "headline_rung": "M0",
    }
    parts = {
        name: getattr(found, name)[getattr(found, name)["rung"] == "M0"].reset_index(drop=True)
        for name in ("practices", "spread", "methods", "fits", "calibration")
    }
    bare = dataclasses.replace(found, **parts, meta=meta, notes=())
    return dataclasses.replace(run, analyses={**run.analyses, metric: bare})
