"""GP workforce by practice: full-time equivalents, from single roles or published totals, never both added up."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part, SourceTable, no_counts
from gpvar.sources._publications import (
    distinct,
    in_words,
    month_in_name,
    names_of,
    nearest,
    once,
    reasons,
    two_of_one,
)
from gpvar.sources._tabular import (
    note_cells,
    numbers,
    practice_codes,
    provenance_of,
    strangers,
    text_frame,
)
from gpvar.study import Period

__all__ = ["read", "tidy"]

_DETAILED = {
    "TOTAL_PATIENTS": "patients",
    "TOTAL_GP_FTE": "all_gp_fte",
    "TOTAL_GP_EXTG_FTE": "gp_without_training_fte",
    "TOTAL_GP_EXL_FTE": "gp_without_locums_fte",
    "TOTAL_GP_EXTGL_FTE": "gp_fte",
    "TOTAL_NURSES_FTE": "nurse_fte",
    "TOTAL_DPC_FTE": "direct_patient_care_fte",
    "TOTAL_ADMIN_FTE": "admin_fte",
}
_DETAILED_NEEDS = ("TOTAL_PATIENTS", "TOTAL_GP_FTE", "TOTAL_GP_EXTGL_FTE")
_HIGH = ["PRAC_CODE", "STAFF_GROUP", "DETAILED_STAFF_ROLE", "MEASURE", "VALUE"]
_COVARIATES = ("gp_fte", "all_gp_fte", "admin_fte")
_DETAILED_INSTEAD = (
    "Some of its roles may be sums of others, which would count people twice: use the detailed table of the same zip."
)
_DEFINITION = (
    "GPs are counted as full-time equivalents without doctors in training and locums; all_gp_fte counts those too. "
    "Staff employed by networks are not in either."
)


def tidy(part: Part) -> pd.DataFrame:
    """Return one table, row by row, with plain names and types.

    Parameters
    ----------
    part
        The detailed or the high-level table.

    Returns
    -------
    DataFrame
        Detailed: practice_code, patients, all_gp_fte, gp_without_training_fte, gp_without_locums_fte, gp_fte (without
        doctors in training and locums), nurse_fte, direct_patient_care_fte, admin_fte, those that the edition has.
        High level: practice_code, staff_group, role, measure (``FTE``, ``Headcount``), value, is_total: the rows of
        totals and of roles count the same people, so one kind or the other is added up. NA and ND are NaN.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    return (_detailed(part) if part.layout == "workforce_detailed" else _high_level(part))[0]


def read(parts: Sequence[Part], period: Period) -> SourceTable:
    """Read full-time equivalents of GPs and of administrative staff.

    Parameters
    ----------
    parts
        Tables of one month or several; of the month nearest to the period the detailed table is used where it is
        there, and held against the high-level one where both are.
    period
        The study's period.

    Returns
    -------
    SourceTable
        gp_fte (without doctors in training and locums), all_gp_fte (with them) and admin_fte; missing where a practice
        gave no return.

    Raises
    ------
    SourceError
        With everything that is wrong with a file, or when roles and published totals do not fit together.
    """
    single, remarks = distinct(parts)
    months = [month_in_name(part) for part in single]
    edition = nearest(months, period, after_is_fine=False)
    used = [part for part, month in zip(single, months, strict=True) if month == edition]
    for part, month in zip(single, months, strict=True):
        if month != edition:
            remarks.append(f"{part.member.label} ({in_words(month)}) was not used: {in_words(edition)} is nearer.")
    tables: dict[str, tuple[pd.DataFrame, list[str]]] = {}
    provenance: list[dict[str, object]] = []
    found: list[tuple[str, int]] = []
    dates = dict.fromkeys(_COVARIATES, edition) if edition else {}
    for part in sorted(used, key=lambda part: part.layout):
        if part.layout in tables:
            raise two_of_one([one for one in used if one.layout == part.layout], edition)
        frame, rows, reason, others = (_detailed if part.layout == "workforce_detailed" else _high_level)(part)
        found += others
        provenance.append(
            provenance_of(part, rows_read=rows, rows_kept=len(frame), reason=reason, edition=edition, dates=dates)
        )
        try:
            tables[part.layout] = _of_detailed(frame) if part.layout == "workforce_detailed" else _of_roles(frame, part)
        except SourceError as error:
            if "workforce_detailed" not in tables:
                raise
            # Both lie in one zip, and nothing of this one is used but to hold the other against it.
            remarks.append(
                f"The detailed table was used and could not be held against the high-level one: {error.problem}"
            )
    facts, said = next(iter(tables.values()))
    remarks += [_when(edition, facts), _DEFINITION, *said]
    if len(tables) == 2:
        remarks.append(_agreement(*(table for table, _ in tables.values())))
    return SourceTable(
        id="workforce",
        file=names_of(used),
        counts=no_counts(),
        facts=facts,
        provenance=tuple(provenance),
        not_practices=tuple(found),
        dates={name: month for name, month in dates.items() if name in facts},
        remarks=tuple(remarks),
    )


def _when(edition: str, facts: pd.DataFrame) -> str:
    missing = int(facts["gp_fte"].isna().sum())
    lacking = f"; {missing:,} gave no return, and have no figure" if missing else ""
    when = f"{in_words(edition)}, by the file's name" if edition else "Of a month that the file's name does not say"
    return f"{when}: {count(len(facts), 'practice')}{lacking}."


def _read_codes(part: Part, text: pd.DataFrame, problems: Problems) -> tuple[pd.Series, pd.Series]:
    return practice_codes(text, "PRAC_CODE", part, problems)


def _not_below_nought(text: pd.DataFrame, column: str, part: Part, problems: Problems) -> pd.Series:
    values = numbers(text, column, part, problems, catalogue.readers()["workforce"]["missing"])
    note_cells(text, column, values.index[values < 0], "is below nought", part, problems)
    return values


def _detailed(part: Part) -> tuple[pd.DataFrame, int, str, tuple[tuple[str, int], ...]]:
    problems = Problems(SourceError, part.member.place)
    optional = [name for name in _DETAILED if name not in _DETAILED_NEEDS]
    text = text_frame(part, ["PRAC_CODE", *_DETAILED_NEEDS], optional=optional)
    codes, good = practice_codes(text, "PRAC_CODE", part, problems)
    frame = pd.DataFrame({"practice_code": codes})
    for heading, name in _DETAILED.items():
        if heading in text:
            frame[name] = _not_below_nought(text, heading, part, problems)
    over = frame["gp_fte"] > frame["all_gp_fte"] + catalogue.readers()["workforce"]["rounding"]
    note_cells(text, "TOTAL_GP_EXTGL_FTE", over.index[over], "is more than all GPs (TOTAL_GP_FTE)", part, problems)
    problems.raise_if_any()
    own, doubled = once(frame[good], ["practice_code"], part, "practice")
    reason = reasons((doubled, "standing twice"), (int((~good).sum()), "not of practices"))
    return own, len(text), reason, strangers(codes, good, part)


def _of_detailed(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    facts = frame.set_index("practice_code").sort_index()
    return facts[[name for name in _COVARIATES if name in facts]], []


def _high_level(part: Part) -> tuple[pd.DataFrame, int, str, tuple[tuple[str, int], ...]]:
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, _HIGH)
    codes, good = practice_codes(text, "PRAC_CODE", part, problems)
    role = text["DETAILED_STAFF_ROLE"].str.strip()
    frame = pd.DataFrame(
        {
            "practice_code": codes,
            "staff_group": text["STAFF_GROUP"].str.strip(),
            "role": role,
            "measure": text["MEASURE"].str.strip(),
            "value": _not_below_nought(text, "VALUE", part, problems),
            "is_total": role.str.contains(catalogue.readers()["workforce"]["total_role"], case=False, regex=True),
        }
    )
    problems.raise_if_any()
    own, doubled = once(
        frame[good], ["practice_code", "staff_group", "role", "measure"], part, "practice, role and measure"
    )
    reason = reasons((doubled, "standing twice"), (int((~good).sum()), "not of practices"))
    return own, len(text), reason, strangers(codes, good, part)


def _of_roles(frame: pd.DataFrame, part: Part) -> tuple[pd.DataFrame, list[str]]:
    """Return figures added up from roles, held against the published totals, which are of the same people."""
    rules = catalogue.readers()["workforce"]
    fte = frame[frame["measure"].str.casefold() == rules["fte"].casefold()]
    every = pd.Index(sorted(frame["practice_code"].unique()), name="practice_code")
    facts, remarks = pd.DataFrame(index=every), []
    for name, group in (("gp_fte", rules["gp_group"]), ("admin_fte", rules["admin_group"])):
        own = fte[fte["staff_group"].str.casefold() == group.casefold()]
        roles = own[~own["is_total"]]
        if roles.empty:
            if name == "gp_fte":
                raise _no_roles(group, part)
            continue
        _refuse_sum_of_others(roles, group, part)
        # Of several totals the widest counts everyone: others may leave out locums.
        totals = own[own["is_total"]].groupby("practice_code")["value"].max().reindex(every)
        left_out = roles["role"].str.casefold().str.contains("|".join(rules["roles_not_counted"]))
        counted = roles.assign(value=roles["value"].mask(left_out, 0.0)) if name == "gp_fte" else roles
        # A published nought is nobody; no row at all is not known.
        nobody = ~every.isin(roles["practice_code"]) & (totals == 0)
        facts[name] = _summed(counted, every).mask(nobody, 0.0)
        summed = _summed(roles, every)
        if name == "gp_fte":
            facts["all_gp_fte"] = summed.mask(nobody, 0.0)
        _refuse_without_totals(summed, totals, roles, group, part)
        remarks += _against_totals(summed, totals, group, part)
        if name == "gp_fte":
            out = listing(sorted(roles.loc[left_out, "role"].unique()), 8) or "none was found"
            remarks.append(f"Roles of GPs that were not counted: {out}.")
    return facts, remarks


def _summed(rows: pd.DataFrame, every: pd.Index) -> pd.Series:
    """Return sums by practice; one part missing makes the sum missing."""
    known_parts = rows.groupby("practice_code")["value"].agg(["sum", "count", "size"])
    return known_parts["sum"].where(known_parts["count"] == known_parts["size"]).reindex(every)


def _no_roles(group: str, part: Part) -> SourceError:
    return SourceError(
        f"The file has no full-time equivalents for single roles of the group {group}, only totals at most: a total "
        "counts doctors in training and locums.",
        part.member.place,
        "Use the detailed table of the same zip, or the high-level table as it was downloaded.",
    )


def _refuse_sum_of_others(roles: pd.DataFrame, group: str, part: Part) -> None:
    """Refuse roles of which one, by whatever name, counts everyone in the others again."""
    rules = catalogue.readers()["workforce"]
    table = roles.pivot_table("value", "practice_code", "role", aggfunc="sum").fillna(0.0)
    several = table[(table > 0).sum(axis=1) > 1]
    rest = several.sum(axis=1)
    for role in several:
        same = (several[role] > 0) & ((rest - 2 * several[role]).abs() <= rules["rounding"])
        if same.sum() > rules["sum_of_others_above"] * len(several):
            raise SourceError(
                f"In {same.sum():,} of {len(several):,} practices the role {role} of the group {group} is the sum of "
                "its other roles: it seems to be a total.",
                part.member.place,
                _DETAILED_INSTEAD,
            )


def _refuse_without_totals(
    summed: pd.Series, published: pd.Series, roles: pd.DataFrame, group: str, part: Part
) -> None:
    """Refuse roles that no total, or hardly one, can be held against: some may count the people of others again."""
    held = int((summed.notna() & published.notna()).sum())
    if not summed.notna().any() or held > catalogue.readers()["workforce"]["with_total_above"] * summed.notna().sum():
        return
    lacks = "has no total" if not published.notna().any() else f"has a total for only {count(held, 'practice')}"
    raise SourceError(
        f"The file {lacks} of the group {group} to hold its roles against, so it cannot be told whether some of them "
        f"are sums of others: {listing(sorted(roles['role'].unique()), 8)}.",
        part.member.place,
        _DETAILED_INSTEAD,
    )


def _against_totals(summed: pd.Series, published: pd.Series, group: str, part: Part) -> list[str]:
    """Return a sentence on how roles and published totals agree; refuse when they seldom do."""
    rules = catalogue.readers()["workforce"]
    both = summed.notna() & published.notna()
    if not both.any():
        return [f"{group}: no practice gave a return."]
    apart = both & ((summed - published).abs() > rules["rounding"])
    example = ""
    if apart.any():
        code = apart.index[apart.to_numpy()][0]
        example = f" ({code}: roles {summed[code]:,.2f}, total {published[code]:,.2f})"
    if apart.sum() > rules["roles_wrong_above"] * both.sum():
        raise SourceError(
            f"In {apart.sum():,} of {both.sum():,} practices the roles of the group {group} do not add up to its "
            f"published total{example}.",
            part.member.place,
            _DETAILED_INSTEAD,
        )
    if not apart.any():
        return [f"{group}: the roles add up to the published total in all {both.sum():,} practices that have both."]
    return [
        f"{group}: in {apart.sum():,} of {both.sum():,} practices the roles do not add up to the published "
        f"total{example}; the roles were used."
    ]


def _agreement(detailed: pd.DataFrame, high: pd.DataFrame) -> str:
    both = pd.concat([detailed["gp_fte"], high["gp_fte"]], axis=1, keys=["detailed", "high"]).dropna()
    apart = int(((both["detailed"] - both["high"]).abs() > catalogue.readers()["workforce"]["rounding"]).sum())
    said = "agree" if not apart else f"differ in {count(apart, 'practice')}; the detailed one was used"
    return f"The detailed and the high-level table {said} ({count(len(both), 'practice')} in both)."
