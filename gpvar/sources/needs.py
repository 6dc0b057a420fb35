"""What a study needs of the publications, what of it is there, and what is missing, old or unreadable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gpvar import catalogue
from gpvar.catalogue import Edition
from gpvar.problems import listing
from gpvar.sources import reference, taking
from gpvar.sources._needs import BOARD, MISSING, OLD, PARTLY, THERE, UNREADABLE, Need, State
from gpvar.sources._publications import distance, nearest
from gpvar.sources.appointments.own_downloads import own_among
from gpvar.sources.files.members import fingerprint
from gpvar.sources.looking import Found, is_called_like, look
from gpvar.sources.recognise import recognise
from gpvar.study import Period, Study, months_of
from gpvar.study.columns import PUBLICATIONS, REFERENCE, covariate_of, declared_covariates


def usual_folders(folder: Path) -> list[Path]:
    """Return where people keep what they download: beside a study, in its ``data/raw``, and in Downloads."""
    here = [folder / "data" / "raw", folder, Path.cwd() / "data" / "raw", Path.home() / "Downloads"]
    return list(dict.fromkeys(here))


def states(study: Study, folders: Iterable[Path]) -> tuple[State, ...]:
    """Return each publication that a study needs, and what is there of it.

    Parameters
    ----------
    study
        What was declared; it need not name any file yet.
    folders
        Where to look beside the files that the study names.
    """
    specs = [spec for spec in study.sources if spec.is_publication and spec.id != REFERENCE]
    named = {file.resolve(): spec.id for spec in specs for file in spec.files}
    seen = _once(look(folders, also=named))
    # A practice's own download looks like the publication; one that the study names is refused when it is read.
    own = own_among([part for item in seen for part in item.parts])
    before = {file.resolve() for file in taking.taken_before(study)}
    there = _There(
        found=tuple(item for item in seen if item.path in named or own.isdisjoint(item.parts)),
        named=named,
        own={name for file, name in named.items() if file not in before},
    )
    return tuple(_state(need, there, study) for need in needed(study))


@dataclass(frozen=True, slots=True)
class _There:
    """The official files found, those that the study names by publication, and the publications it names itself."""

    found: tuple[Found, ...]
    named: dict[Path, str]
    own: set[str]


def _once(found: Sequence[Found]) -> tuple[Found, ...]:
    """Return each file once, the copy in the folder that comes first; those that cannot be read, each for itself."""
    kept: dict[object, Found] = {}
    sizes = Counter(item.path.stat().st_size for item in found if item.error is None)
    for item in found:
        alone = item.error is not None or sizes[item.path.stat().st_size] == 1
        kept.setdefault(item.path if alone else fingerprint(item.path), item)
    return tuple(kept.values())


def taken_for(path: Path) -> str:
    """Return in words what a file was taken for.

    Raises
    ------
    SourceError
        When it is none of the official files, or cannot be read.
    """
    titles = dict.fromkeys(catalogue.layouts()[part.layout].title for part in recognise(path))
    return listing(titles)


def needed(study: Study) -> tuple[Need, ...]:
    """Return the publications that a study needs, beside tables of its own and the England reference file."""
    held = _in_reference(study)
    return tuple(need for need in _needed(study) if need.source not in held)


def _in_reference(study: Study) -> set[str]:
    """Return the publications that the study's England reference file holds."""
    files = [spec.file for spec in study.sources if spec.id == REFERENCE]
    return {source for file in files for source in reference.describe(file).editions}


def _needed(study: Study) -> tuple[Need, ...]:
    own = {key for spec in study.sources for key in spec.columns}
    given = {key.partition(".")[0] for key in own}
    metrics = [metric for metric in study.metrics if metric not in given]
    declared = dict.fromkeys(c for metric in study.metrics for c in declared_covariates(study, metric))
    wanted = [c for c in declared if c not in {covariate_of(key) for key in own}]
    needs = _of_metrics(metrics)
    rates = [metric for metric in study.metrics if catalogue.metric(metric).kind == "rate"]
    lists = "list_size" not in own
    if "age_sex" in wanted or (lists and (metrics or rates)):
        shares = tuple(c for c in wanted if c == "age_sex")
        which = ("registered_quinary",) if shares else ("registered_quinary", "registered_all")
        needs.append(Need("registered_patients", which[0], which, characteristics=shares, lists=lists))
    if lists and metrics and study.period.months > 1:
        # The lists of every month: rates are then of the patients of each month, and a merger shows as a jump.
        each = ("registered_all", "registered_quinary")
        needs.append(Need("registered_patients", each[0], each, lists=True, monthly=True, optional=True))
    if "icb_code" not in own:
        needs.append(Need("registered_patients", "registered_map", ("registered_map",), places=True))
    return (*needs, *_of_characteristics([c for c in wanted if c != "age_sex"]))


def _of_metrics(metrics: Sequence[str]) -> list[Need]:
    by_source: dict[str, list[str]] = {}
    for metric in metrics:
        by_source.setdefault(catalogue.metric(metric).source, []).append(metric)
    needs = []
    for source, ids in by_source.items():
        if source in PUBLICATIONS:
            needs.append(Need(source, source, (f"{source}_crosstab",), metrics=tuple(ids), monthly=True))
        else:
            needs.append(Need(source, "", (), metrics=tuple(ids)))
    return needs


def _of_characteristics(wanted: Iterable[str]) -> list[Need]:
    by_publication: dict[tuple[str, str], list[str]] = {}
    for covariate in wanted:
        publication = _publication(covariate)
        # What no publication holds is got from different places.
        apart = "" if publication else catalogue.covariate(covariate).source
        by_publication.setdefault((publication, apart), []).append(covariate)
    return [_need_of(publication, tuple(ids)) for (publication, _), ids in by_publication.items()]


def _need_of(publication: str, characteristics: tuple[str, ...]) -> Need:
    card = catalogue.publications().get(publication)
    if card is None:
        return Need(catalogue.covariate(characteristics[0]).source, "", (), characteristics=characteristics)
    holds = characteristics if card.source == "imd" else card.layouts
    return Need(card.source, publication, holds, characteristics=characteristics)


def _publication(covariate: str) -> str:
    """Return the publication from which a characteristic is got; ``""`` where gpvar reads none that holds it."""
    source = catalogue.covariate(covariate).source
    by_name = f"fingertips_{covariate}"
    if by_name in catalogue.publications():
        return by_name
    return source if source in catalogue.publications() else ""


def _state(need: Need, there: _There, study: Study) -> State:
    if not need.publication:
        return State(need, BOARD if need.source == "ag_extract" else MISSING)
    serving = tuple(item for item in there.found if set(item.holds) & set(need.holds))
    meant = tuple(item for item in there.found if item.error is not None and _meant(item, need, there.named))
    if not serving:
        get = _editions(need, study.period, months_of(study.period) if need.monthly else ())
        state = State(need, UNREADABLE if meant else MISSING, broken=meant, get=get)
    elif need.monthly:
        state = _by_months(need, serving, study)
    else:
        state = _nearest(need, serving, study)
    wrong = {there.named[item.path] for item in state.files if item.path in there.named} - {need.source}
    return replace(
        state,
        broken=meant if not serving else tuple(item for item in meant if there.named.get(item.path) == need.source),
        named=bool(state.files) and all(there.named.get(item.path) == need.source for item in state.files),
        named_as=tuple(sorted(wrong)),
        own=need.source in there.own,
    )


def _nearest(need: Need, serving: Sequence[Found], study: Study) -> State:
    """Return the file that is dated nearest to the study's period."""
    months = [_edition(item, need) for item in serving]
    best = nearest(months, study.period)
    chosen = tuple(item for item, month in zip(serving, months, strict=True) if month == best)[:1]
    apart = distance(best, study.period) if best else 0
    limit = catalogue.gates()["covariate_old"].thresholds["months_above"]
    state = OLD if apart > limit else THERE
    return State(need, state, chosen, apart=apart, get=_editions(need, study.period, ()) if state == OLD else ())


def _by_months(need: Need, serving: Sequence[Found], study: Study) -> State:
    """Return the fewest files that hold the most of the study's months."""
    wanted = months_of(study.period)
    by_months: dict[frozenset[str], list[Found]] = {}
    for item in serving:
        held = frozenset(month for month, what in zip(item.editions, item.holds, strict=True) if what in need.holds)
        # Files of the same months stay together: a month may be published in two halves.
        by_months.setdefault(held, []).append(item)
    used: list[frozenset[str]] = []
    for month in wanted:
        if not any(month in held for held in used):
            # The one that reaches furthest into the period; of equals, the later edition.
            holding = [held for held in by_months if month in held]
            used += sorted(holding, key=lambda held: (max(held & set(wanted)), max(held)))[-1:]
    missing = tuple(month for month in wanted if not any(month in held for held in used))
    return State(
        need,
        THERE if not missing else PARTLY if used else MISSING,
        tuple(item for held in used for item in by_months[held]),
        months_missing=missing,
        get=_editions(need, study.period, missing) if missing else (),
        overlap=sum(len(held & set(wanted)) for held in used) > len(wanted) - len(missing),
    )


def _edition(item: Found, need: Need) -> str:
    return next(month for month, what in zip(item.editions, item.holds, strict=True) if what in need.holds)


def _meant(item: Found, need: Need, named: dict[Path, str]) -> bool:
    """Return whether a file that cannot be read is meant for a need: by its name, else as the study says."""
    cards = catalogue.publications().values()
    like = {card.id for card in cards if is_called_like(item.path, card.file_like)}
    told = any(card.id in like and card.source == need.source for card in cards)
    return need.publication in like or (named.get(item.path) == need.source and not told)


def _editions(need: Need, period: Period, months: Sequence[str]) -> tuple[Edition, ...]:
    if not months:
        limit = catalogue.gates()["covariate_old"].thresholds["months_above"]
        had = [item for item in catalogue.editions() if item.publication == need.publication and item.address]
        near = [item for item in had if item.last_month and distance(item.last_month, period) <= limit]
        if near:
            return (min(near, key=lambda item: (distance(item.last_month, period), -int(item.last_month[:4]))),)
    return catalogue.editions_covering(need.publication, months or [period.end])
