"""Gates about single practices: which have counts that cannot be used, or lists unlike the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.dates import month_in_words
from gpvar.gates.evidence import PASSED, UNCHECKED, Evidence, Look, columns_of, failures
from gpvar.problems import count
from gpvar.study import months_of
from gpvar.study.columns import declared_covariates

#: How a count by month is named that is of one national category.
CATEGORY = "category: "


def no_denominator(e: Evidence) -> Iterator[Look]:
    """Fail practices without both counts."""
    for metric, rows in e.outcomes.groupby("metric", sort=False):
        empty = (rows["state"] == "missing") | ~(rows["denominator"] > 0)
        failed = []
        for row in rows[empty].itertuples():
            why = "a count is missing" if row.state == "missing" else "the denominator is hidden"
            failed.append((row.practice_code, row.denominator, "the denominator is 0" if row.denominator == 0 else why))
        yield Look(PASSED, tuple(failed), metrics=(str(metric),))


def numerator_over_denominator(e: Evidence) -> Iterator[Look]:
    """Fail practices whose part is larger than the whole."""
    for metric, rows in e.outcomes.groupby("metric", sort=False):
        if catalogue.metric(str(metric)).kind != "proportion":
            continue
        over = rows[rows["numerator_low"] > rows["denominator"]]
        failed = tuple(
            (row.practice_code, row.numerator_low, f"{row.numerator_low:,.0f} of {row.denominator:,.0f}")
            for row in over.itertuples()
        )
        yield Look(PASSED, failed, metrics=(str(metric),))


def suppressed(e: Evidence) -> Iterator[Look]:
    """Fail practices whose counts were hidden because they are small."""
    for metric, rows in e.outcomes.groupby("metric", sort=False):
        hidden = rows[rows["state"] == "suppressed"]
        failed = tuple(
            (row.practice_code, row.numerator_high, f"between {row.numerator_low:,.0f} and {row.numerator_high:,.0f}")
            for row in hidden.itertuples()
        )
        yield Look(PASSED, failed, metrics=(str(metric),))


def list_under_1000(e: Evidence) -> Iterator[Look]:
    """Fail practices with very small lists."""
    sizes = e.practices["list_size"]
    if sizes.isna().all():
        yield Look(UNCHECKED)
        return
    least = catalogue.gates()["list_under_1000"].thresholds["list_size_below"]
    failed = failures(e.practices["practice_code"], sizes, sizes < least, "{:,.0f} patients")
    yield Look(PASSED, failed, detail=_unknown(sizes, failed, "list size"))


def _unknown(values: pd.Series, failed: tuple, what: str) -> str:
    """Say how many practices failed, and for how many the value is not known."""
    unknown = int(values.isna().sum())
    if not unknown:
        return ""
    said = f"{len(failed):,} fail; " if failed else ""
    return f"{said}the {what} of {count(unknown, 'practice')} is not known"


def atypical(e: Evidence) -> Iterator[Look]:
    """Mark lists unlike ordinary general practice: small, jumping, or of unusual ages and sexes."""
    cards = catalogue.gates()
    codes = e.practices["practice_code"]
    size, jump = e.practices["list_size"], e.practices["list_jump_pct"]
    reasons = list(
        failures(codes, size, size < cards["list_under_1000"].thresholds["list_size_below"], "{:,.0f} patients")
    )
    jumped = jump.abs() > cards["merger_or_list_jump"].thresholds["jump_pct_above"]
    reasons += failures(codes, jump, jumped, "the list changed by {:,.0f} % in a month")
    looked = []
    for rule in cards["atypical"].more["rule"]:
        for name in _share_columns(e.practices, rule["columns"]):
            looked.append(name)
            share = e.practices[name]
            wrong = (share < rule.get("below", -1)) | (share > rule.get("above", 2))
            reasons += failures(codes, 100 * share, wrong, f"{{:.1f}} % are {rule['what']}")
    if size.isna().all() and jump.isna().all() and not looked:
        yield Look(UNCHECKED)
        return
    by_code: dict[str, list[tuple[float, str]]] = {}
    for code, value, words in reasons:
        by_code.setdefault(code, []).append((value, words))
    failed = tuple((code, found[0][0], "; ".join(words for _, words in found)) for code, found in by_code.items())
    detail = "" if looked else "judged by list size alone: the table holds no ages"
    yield Look(PASSED, failed, detail=detail)


def _share_columns(practices: pd.DataFrame, names: list[str]) -> list[str]:
    return [c for c in practices.columns if c.partition(".")[2].casefold() in names]


def appointments_under_one(e: Evidence) -> Iterator[Look]:
    """Fail practices with too few appointments for their list: part of their work is missing."""
    card = catalogue.gates()["appointments_under_one_per_patient"]
    totals = _all_appointments(e, card.more["totals"])
    if totals is None or e.practices["list_size"].isna().all():
        yield Look(UNCHECKED)
        return
    rate = totals.reindex(e.practices["practice_code"]).to_numpy() / e.practices["list_size"]
    yearly = rate * 12 / e.study.period.months
    wrong = yearly < card.thresholds["appointments_per_patient_year_below"]
    yield Look(PASSED, failures(e.practices["practice_code"], yearly, wrong, "{:.2f} appointments per patient a year"))


def _all_appointments(e: Evidence, places: list[str]) -> pd.Series | None:
    for place in places:
        metric, part = place.split(".")
        rows = e.outcomes[e.outcomes["metric"] == metric]
        if len(rows):
            return rows.set_index("practice_code")[part]
    return None


def unmapped_over_40(e: Evidence) -> Iterator[Look]:
    """Fail practices with too many appointments of no usable category."""
    if "unmapped.numerator" not in e.practices or "unmapped.denominator" not in e.practices:
        yield Look(UNCHECKED)
        return
    share = e.practices["unmapped.numerator"] / e.practices["unmapped.denominator"].where(lambda n: n > 0)
    wrong = share >= catalogue.gates()["unmapped_over_40"].thresholds["unmapped_share_from"]
    yield Look(PASSED, failures(e.practices["practice_code"], 100 * share, wrong, "{:.0f} % are unmapped"))


def merger_or_list_jump(e: Evidence) -> Iterator[Look]:
    """Fail practices whose list jumped within the period."""
    jump, codes = e.practices["list_jump_pct"], e.practices["practice_code"]
    known = tuple((code, float("nan"), words) for code, words in e.events.items() if code in set(codes))
    if jump.isna().all():
        yield Look(UNCHECKED, known)
        return
    wrong = jump.abs() > catalogue.gates()["merger_or_list_jump"].thresholds["jump_pct_above"]
    jumped = failures(codes, jump, wrong & ~codes.isin(list(e.events)), "the list changed by {:,.0f} % in a month")
    failed = (*known, *jumped)
    yield Look(PASSED, failed, detail=_unknown(jump, failed, "list's largest change"))


def supplier_change(e: Evidence) -> Iterator[Look]:
    """Fail practices that changed their clinical system; a local table seldom says."""
    if "supplier_changes" not in e.practices:
        yield Look(UNCHECKED)
        return
    changes = e.practices["supplier_changes"]
    failed = tuple(
        (code, value, "changed once" if value == 1 else f"changed {value:.0f} times")
        for code, value, _ in failures(e.practices["practice_code"], changes, changes > 0, "")
    )
    yield Look(PASSED, failed)


def months_missing(e: Evidence) -> Iterator[Look]:
    """Fail practices without every month of the period."""
    if not e.has_months:
        yield Look(UNCHECKED)
        return
    for metric, rows in e.months.groupby("metric", sort=False):
        short = rows["months"] < e.study.period.months
        words = f"{{:.0f}} of {e.study.period.months} months"
        yield Look(PASSED, failures(rows["practice_code"], rows["months"], short, words), metrics=(str(metric),))


def mapping_step(e: Evidence) -> Iterator[Look]:
    """Fail practices of which a category's share of appointments moved from three months to the next three."""
    moved = _moved_shares(e)
    if moved is None:
        yield Look(UNCHECKED)
        return
    points = catalogue.gates()["mapping_step"].thresholds["points"]
    largest = moved.assign(size=moved["moved"].abs()).sort_values("size", kind="stable")
    largest = largest.drop_duplicates("practice_code", keep="last")
    wrong = largest[largest["size"] > points].sort_values("practice_code")
    failed = tuple(
        (
            row.practice_code,
            row.size,
            f"{row.category} moved by {row.moved:+.0f} points in the three months from {month_in_words(row.month)}",
        )
        for row in wrong.itertuples()
    )
    yield Look(PASSED, failed)


def _moved_shares(e: Evidence) -> pd.DataFrame | None:
    """Return by how many points each category's share moved into each quarter; None where there are not two."""
    if e.monthly is None:
        return None
    rows = e.monthly[e.monthly["name"].str.startswith(CATEGORY)]
    held = set(rows["month"])
    found = []
    for before, after in _quarters_beside(months_of(e.study.period)):
        if held & set(before) and held & set(after):
            then, now = _shares(rows, before), _shares(rows, after)
            names = then.columns.union(now.columns)
            # A label that was not used before has moved from nought; a practice without appointments has not moved.
            moved = 100 * (now.reindex(columns=names, fill_value=0) - then.reindex(columns=names, fill_value=0))
            moved = moved.rename_axis(columns="category").stack().dropna().rename("moved").reset_index()
            found.append(moved.assign(month=after[0]))
    if not found:
        return None
    every = pd.concat(found, ignore_index=True)
    return every.assign(category=every["category"].str.removeprefix(CATEGORY))


def _quarters_beside(months: Sequence[str]) -> list[tuple[Sequence[str], Sequence[str]]]:
    """Return each quarter with the one before it, and the last three months with the three before where some are over.

    Quarters are counted from the first month of the period.
    """
    starts = list(range(3, len(months) - 2, 3))
    if len(months) % 3 and len(months) >= 6:
        starts.append(len(months) - 3)
    return [(months[at - 3 : at], months[at : at + 3]) for at in starts]


def _shares(rows: pd.DataFrame, months: Sequence[str]) -> pd.DataFrame:
    """Return each category's share of a practice's appointments in some months; a practice without any has none."""
    own = rows[rows["month"].isin(months)]
    counts = own.pivot_table(index="practice_code", columns="name", values="value", aggfunc="sum", fill_value=0)
    total = counts.sum(axis=1)
    return counts.div(total.where(total > 0), axis=0)


def ag_platform_incomplete(e: Evidence) -> Iterator[Look]:
    """Fail practices whose requests come from one platform or specialty alone, by what the extract says of itself."""
    columns = {name: what for name, what in _HOLDINGS.items() if name in e.practices}
    if "ag_platform" not in columns:
        yield Look(UNCHECKED)
        return
    failed, unsure = [], []
    for code, *held in e.practices[["practice_code", *columns]].itertuples(index=False, name=None):
        said = [str(item) if isinstance(item, str) else "" for item in held]
        one = [f"only the {what} {item}" for item, what in zip(said, columns.values(), strict=True) if _is_one(item)]
        if one:
            failed.append((str(code), float("nan"), "; ".join(one)))
        elif any(item.casefold() != "all" for item in said):
            unsure.append(next(item for item in said if item.casefold() != "all"))
    several = [item for item in dict.fromkeys(unsure) if item]
    detail = f"whether {several[0]} are all is not said" if several else ""
    yield Look(UNCHECKED if unsure and not failed else PASSED, tuple(failed), detail=detail)


_HOLDINGS = {"ag_platform": "platform", "ag_specialty": "specialty"}


def _is_one(held: str) -> bool:
    return held != "" and held.casefold() != "all" and " + " not in held


def covariate_impossible(e: Evidence) -> Iterator[Look]:
    """Fail practices of which a characteristic could not be true, and so is taken as missing."""
    declared = [declared_covariates(e.study, metric) for metric in e.study.metrics]
    names = {name for ids in declared for name in ids}
    if not any(columns_of(e.practices, name) for name in names):
        yield Look(UNCHECKED)
        return
    found: dict[str, list[tuple[float, str]]] = {}
    for code, column, value in e.impossible:
        name = column.partition(".")[0]
        if name in names:
            found.setdefault(code, []).append((value, f"{catalogue.covariate(name).title}: {value:,.6g}"))
    failed = tuple((code, what[0][0], "; ".join(words for _, words in what)) for code, what in sorted(found.items()))
    yield Look(PASSED, failed)


def ag_capped(e: Evidence) -> Iterator[Look]:
    """Fail practices whose count reached the cap in force."""
    if "ag_cap" not in e.practices:
        yield Look(UNCHECKED)
        return
    cap = e.practices["ag_cap"]
    for metric in e.study.metrics:
        if catalogue.metric(metric).source != "ag_extract":
            continue
        rows = e.outcomes[e.outcomes["metric"] == metric].set_index("practice_code")
        counted = e.practices.get("ag_claims", rows["numerator_high"].reindex(e.practices["practice_code"]).array)
        claims = pd.Series(np.asarray(counted, dtype=float), index=e.practices.index)
        failed = failures(e.practices["practice_code"], claims, (cap > 0) & (claims >= cap), "{:,.0f} reaches the cap")
        yield Look(PASSED, failed, metrics=(metric,))
