"""Gates about the table as a whole: dates, breaks, targets, joins and characteristics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.gates.evidence import FAILED, PASSED, UNCHECKED, Evidence, Look, columns_of
from gpvar.organisations import codes_of_board, lives_on
from gpvar.problems import count, listing
from gpvar.study import Study, months_between
from gpvar.study.columns import PUBLICATIONS, declared_covariates


def series_break(e: Evidence) -> Iterator[Look]:
    """Fail where the period holds a break of the series; a change of policy or of areas is named and passes."""
    first, last = e.study.period.first_day, e.study.period.last_day
    for metric in e.study.metrics:
        crossed = [
            item
            for item in catalogue.breaks(catalogue.metric(metric).source)
            if first < item.start <= last or (item.end is not None and item.start <= first <= item.end)
        ]
        breaking = [item for item in crossed if item.breaks_series]
        for item in breaking:
            yield Look(FAILED, detail=f"{day_in_words(item.start)}: {item.what}", metrics=(metric,))
        beside = [
            f"{'Areas' if item.kind == 'geography' else 'A rule'} did, on {day_in_words(item.start)}: {item.what}"
            for item in crossed
            if not item.breaks_series
        ]
        if beside or not breaking:
            yield Look(PASSED, detail=" ".join(beside), metrics=(metric,))


def target_change(e: Evidence) -> Iterator[Look]:
    """Fail where a target came into force or ended within the period."""
    first, last = e.study.period.first_day, e.study.period.last_day
    for metric in e.study.metrics:
        own = [target for target in catalogue.targets().values() if target.metric == metric]
        said = [f"{t.wording}, announced on {day_in_words(t.announced)}" for t in own if first < t.announced <= last]
        said += [f"{t.wording}, ended on {day_in_words(t.ends)}" for t in own if t.ends and first <= t.ends < last]
        yield Look(FAILED if said else PASSED, detail="; ".join(said), metrics=(metric,))


def covariate_missing(e: Evidence) -> Iterator[Look]:
    """Fail practices that lack a characteristic; a characteristic without a source could not be checked."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for metric in e.study.metrics:
        groups.setdefault(declared_covariates(e.study, metric), []).append(metric)
    for covariates, metrics in groups.items():
        concerned = () if len(groups) == 1 else tuple(metrics)
        missing: dict[str, list[str]] = {}
        for covariate in covariates:
            columns = columns_of(e.practices, covariate)
            title = catalogue.covariate(covariate).title
            if not columns:
                yield Look(UNCHECKED, detail=f"no source for {title}", metrics=concerned)
                continue
            for code in e.practices.loc[e.practices[columns].isna().any(axis=1), "practice_code"]:
                missing.setdefault(str(code), []).append(title)
        failed = tuple(
            (code, float(len(names)), f"no {', no '.join(names)}") for code, names in sorted(missing.items())
        )
        yield Look(PASSED, failed, metrics=concerned)


def covariate_old(e: Evidence) -> Iterator[Look]:
    """Compare each characteristic's date with the period."""
    dates = e.dates
    declared = dict.fromkeys(c for metric in e.study.metrics for c in declared_covariates(e.study, metric))
    for covariate in declared:
        if not columns_of(e.practices, covariate):
            continue
        title = catalogue.covariate(covariate).title
        if covariate not in dates:
            yield Look(UNCHECKED, detail=f"{title}: no date is given")
            continue
        before, after, wrong, _ = _apart(e.study, covariate, dates[covariate])
        place = f"{_months(before)} before" if before > 0 else f"{_months(after)} after" if after > 0 else "within"
        apart = float(max(before, after, 0))
        yield Look(FAILED if wrong else PASSED, value=apart, detail=f"{title}: {place} the period")


def out_of_date(study: Study, dates: Mapping[str, str], covariates: Iterable[str]) -> tuple[str, ...]:
    """Return the covariates so far from the period that a finding must be repeated without them."""
    return tuple(c for c in covariates if c in dates and _apart(study, c, dates[c])[3])


def _apart(study: Study, covariate: str, month: str) -> tuple[int, int, bool, bool]:
    """Return months before and after the period, whether that is wrong, and whether it is far wrong."""
    card = catalogue.gates()["covariate_old"]
    before = months_between(month, study.period.start)
    after = months_between(study.period.end, month)
    late = after > 0 and covariate not in card.more["after_is_fine"]
    apart = max(before, after)
    wrong = late or apart > card.thresholds["months_above"]
    return before, after, wrong, late or apart > card.thresholds["far_months_above"]


def join_loss(e: Evidence) -> Iterator[Look]:
    """Fail where many practices are missing from a file or have no board, or the figures lack those of other months."""
    limit = catalogue.gates()["join_loss"].thresholds["loss_above"]
    losses = {f"are not in the source '{source}'": share for source, share in e.lost.items()} if len(e.lost) > 1 else {}
    if (e.hierarchy["icb_code"] != "").any():
        losses["are without an integrated care board"] = float((e.hierarchy["icb_code"] == "").mean())
    # Figures of an area alone lack the others' on purpose: only England's must hold whoever had figures in its months.
    others = e.beside if e.study.reference.set == "england" else ()
    losses |= {f"of those in the figures of {months} are not in the study's": lost / of for months, lost, of in others}
    over = {words: share for words, share in losses.items() if share > limit}
    if over:
        detail = "; ".join(f"{100 * share:.1f} % {words}" for words, share in over.items())
        yield Look(FAILED, value=max(over.values()), detail=detail)
    else:
        worst = max(losses.values(), default=float("nan"))
        said = [f"{lost:,} of {of:,} in the figures of {when} are not in the study's" for when, lost, of in e.beside]
        yield Look(PASSED if len(e.lost) > 1 or others else UNCHECKED, value=worst, detail="; ".join(said))


def hierarchy_date(e: Evidence) -> Iterator[Look]:
    """Compare the areas of the table with the date that the study states."""
    day = e.study.reference.hierarchy_date or e.placed_on
    codes = set(e.hierarchy["icb_code"]) - {""}
    boards = catalogue.icbs()
    known = codes & set(boards)
    if day is None or not known:
        yield Look(
            UNCHECKED, detail="the study gives no date" if day is None else "the codes of the areas are not known"
        )
        return
    area = codes_of_board(e.study.area.code, codes) if e.study.area.kind == "icb" else ()
    untouched = bool(area) and all(lives_on(code) for code in area)
    if e.boards_not_told is not None and len(e.boards_not_told):
        rows = [f"{count(row.practices, 'practice')} of {row.icb_name}" for row in e.boards_not_told.itertuples()]
        dated = sorted(e.boards_not_told["map_date"].unique())
        maps = listing(day_in_words(dt.date.fromisoformat(text)) for text in dated)
        where = f"to which board {listing(rows, 4)} belonged on {day_in_words(day)}"
        detail = f"{where} cannot be told from the map of {maps}"
        detail += f"; {listing(area)} is the same on both" if untouched else ""
        yield Look(PASSED if untouched else FAILED, value=float(e.boards_not_told["practices"].sum()), detail=detail)
        return
    strange = sorted(code for code in known if code not in catalogue.icb_members(day))
    within = e.study.period.first_day <= day <= e.study.period.last_day
    if strange and within and untouched:
        # Only the area's own board is compared within; a board that no change touched has the same practices.
        others = (
            f"{count(len(strange), 'other board')} of the table of another date; {listing(area)} is the same on both"
        )
        yield Look(PASSED, value=float(len(strange)), detail=others)
    elif strange:
        named = ", ".join(strange[:5])
        detail = f"{len(strange)} boards of the table were not in force on {day_in_words(day)}: {named}"
        yield Look(FAILED, value=float(len(strange)), detail=detail)
    elif not within:
        yield Look(FAILED, detail=f"{day_in_words(day)} is not within {e.study.period.label}")
    else:
        yield Look(PASSED, detail=f"as on {day_in_words(day)}")


def denominator_mixed(e: Evidence) -> Iterator[Look]:
    """Fail figures whose two counts come from different files; for a rate of the list that is usual, and a note."""
    for metric in e.study.metrics:
        of_list = "note" if catalogue.metric(metric).kind == "rate" else ""
        if f"{metric}.denominator" not in e.homes:
            detail = "the list size times the months, not the lists of each month"
            yield Look(FAILED, detail=detail, metrics=(metric,), severity=of_list)
            continue
        homes = {e.homes[f"{metric}.{part}"] for part in ("numerator", "denominator")}
        mixed = len(homes) > 1
        detail = f"taken from {' and '.join(sorted(map(_title, homes)))}" if mixed else ""
        severity = of_list or ("stop" if mixed else "")
        yield Look(FAILED if mixed else PASSED, detail=detail, metrics=(metric,), severity=severity)


def _title(source: str) -> str:
    """Return what a publication is called; a table of the study's own has the name that the study gives it."""
    return catalogue.sources()[source].title if source in PUBLICATIONS else source


def not_england(e: Evidence) -> Iterator[Look]:
    """Fail a study that compares with England and does not hold it; an invented England is its own."""
    card = catalogue.gates()["not_england"]
    held = len(e.practices)
    if e.study.reference.set != "england" or e.study.simulated or held >= card.thresholds["practices_below"]:
        yield Look(PASSED, value=float(held))
        return
    said = f"The file holds {count(held, 'practice')}; England has {card.more['england_has']}."
    yield Look(FAILED, value=float(held), detail=said)


def too_few_practices(e: Evidence) -> Iterator[Look]:
    """Fail figures that few practices have."""
    limits = catalogue.gates()["too_few_practices"].thresholds
    for metric, rows in e.outcomes.groupby("metric", sort=False):
        held = int(((rows["state"] != "missing") & (rows["denominator"] > 0)).sum())
        has = count(held, "practice has", "practices have")
        if held < limits["stop_below"]:
            detail = f"only {has} a figure: too few to say what is usual"
            yield Look(FAILED, value=float(held), detail=detail, metrics=(str(metric),), severity="stop")
        elif held < limits["practices_below"]:
            yield Look(FAILED, value=float(held), detail=f"{has} a figure", metrics=(str(metric),))
        else:
            yield Look(PASSED, value=float(held), metrics=(str(metric),))


def _months(number: int) -> str:
    return count(number, "month")
