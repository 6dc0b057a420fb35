"""Gates about the table as a whole: dates, breaks, targets, joins and characteristics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpvar import catalogue
from gpvar.gates.evidence import FAILED, PASSED, UNCHECKED, Evidence, Look, columns_of, declared_covariates
from gpvar.organisations import in_words
from gpvar.study import Study, months_between


def series_break(e: Evidence) -> Iterator[Look]:
    """Fail where the period holds a break of the series; a change of policy or of areas is named and passes."""
    first, last = e.study.period.first_day, e.study.period.last_day
    for metric in e.study.metrics:
        crossed = [
            item
            for item in catalogue.breaks(catalogue.metric(metric).source)
            if first < item.start <= last or (item.end is not None and item.start <= first <= item.end)
        ]
        for item in crossed:
            state = FAILED if item.breaks_series else PASSED
            yield Look(state, detail=f"{in_words(item.start)}: {item.what}", metrics=(metric,))
        if not crossed:
            yield Look(PASSED, metrics=(metric,))


def target_change(e: Evidence) -> Iterator[Look]:
    """Fail where a target came into force or ended within the period."""
    first, last = e.study.period.first_day, e.study.period.last_day
    for metric in e.study.metrics:
        own = [target for target in catalogue.targets().values() if target.metric == metric]
        changed = [t for t in own if first < t.announced <= last or (t.ends is not None and first <= t.ends < last)]
        yield Look(FAILED if changed else PASSED, detail="; ".join(t.wording for t in changed), metrics=(metric,))


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
    dates = _dates(e.study)
    declared = dict.fromkeys(c for metric in e.study.metrics for c in declared_covariates(e.study, metric))
    for covariate in declared:
        if not columns_of(e.practices, covariate):
            continue
        title = catalogue.covariate(covariate).title
        if covariate not in dates:
            yield Look(UNCHECKED, detail=f"{title}: the study gives no date")
            continue
        before, after, wrong, _ = _apart(e.study, covariate, dates[covariate])
        place = f"{_months(before)} before" if before > 0 else f"{_months(after)} after" if after > 0 else "within"
        apart = float(max(before, after, 0))
        yield Look(FAILED if wrong else PASSED, value=apart, detail=f"{title}: {place} the period")


def out_of_date(study: Study, covariates: Iterable[str]) -> tuple[str, ...]:
    """Return the covariates so far from the period that a finding must be repeated without them."""
    dates = _dates(study)
    return tuple(c for c in covariates if c in dates and _apart(study, c, dates[c])[3])


def _dates(study: Study) -> dict[str, str]:
    return {covariate: month for source in study.sources for covariate, month in source.dates.items()}


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
    """Fail where many practices are missing from a file or have no board."""
    limit = catalogue.gates()["join_loss"].thresholds["loss_above"]
    losses = {f"not in the source '{source}'": share for source, share in e.lost.items()} if len(e.lost) > 1 else {}
    if (e.hierarchy["icb_code"] != "").any():
        losses["without an integrated care board"] = float((e.hierarchy["icb_code"] == "").mean())
    over = {words: share for words, share in losses.items() if share > limit}
    if over:
        detail = "; ".join(f"{100 * share:.1f} % are {words}" for words, share in over.items())
        yield Look(FAILED, value=max(over.values()), detail=detail)
    else:
        worst = max(losses.values(), default=float("nan"))
        yield Look(PASSED if len(e.lost) > 1 else UNCHECKED, value=worst)


def hierarchy_date(e: Evidence) -> Iterator[Look]:
    """Compare the areas of the table with the date that the study states."""
    day, codes = e.study.reference.hierarchy_date, set(e.hierarchy["icb_code"]) - {""}
    boards = catalogue.icbs()
    known = codes & set(boards)
    if day is None or not known:
        yield Look(
            UNCHECKED, detail="the study gives no date" if day is None else "the codes of the areas are not known"
        )
        return
    strange = sorted(code for code in known if code not in catalogue.icb_members(day))
    if strange:
        detail = f"{len(strange)} boards of the table were not in force on {in_words(day)}: {', '.join(strange[:5])}"
        yield Look(FAILED, value=float(len(strange)), detail=detail)
    elif not e.study.period.first_day <= day <= e.study.period.last_day:
        yield Look(FAILED, detail=f"{in_words(day)} is not within {e.study.period.label}")
    else:
        yield Look(PASSED, detail=f"as on {in_words(day)}")


def denominator_mixed(e: Evidence) -> Iterator[Look]:
    """Note figures whose two counts come from different files."""
    for metric in e.study.metrics:
        if f"{metric}.denominator" not in e.homes:
            yield Look(FAILED, detail="the list size times the months, not the lists of each month", metrics=(metric,))
            continue
        homes = {e.homes[f"{metric}.{part}"] for part in ("numerator", "denominator")}
        mixed = len(homes) > 1
        detail = f"taken from {' and '.join(sorted(homes))}" if mixed else ""
        yield Look(FAILED if mixed else PASSED, detail=detail, metrics=(metric,))


def _months(count: int) -> str:
    return f"{count} month" if count == 1 else f"{count} months"
