"""What the columns of a file may be said to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gpvar import catalogue
from gpvar.problems import Problems, nearest
from gpvar.study.model import SourceSpec, Study

CODE = "practice_code"
PERIOD = "period"
#: The days that a row covers, where a file says so; they must agree with the study's period.
EXTENT = ("period_start", "period_end")
#: What an extract says it holds, gathered over the rows of a practice.
HOLDINGS = ("ag_platform", "ag_specialty")
#: What `new` writes where it could not tell.
TO_FILL_IN = "FILL IN"
#: Text about a practice: who it is and where it belongs.
TEXTS = (
    "practice_name",
    "pcn_code",
    "pcn_name",
    "sub_icb_code",
    "icb_code",
    "icb_name",
    "region_code",
    "supplier",
)
#: Numbers about a practice that are neither a figure nor a characteristic.
NUMBERS = ("list_size", "list_jump_pct", "unmapped.numerator", "unmapped.denominator", "ag_claims", "ag_cap")
PARTS = ("numerator", "denominator")
_UNMAPPED = [f"unmapped.{part}" for part in PARTS]
#: The id of the one file that holds what several publications say.
REFERENCE = "england_reference"
#: Publications that gpvar reads as they are published.
PUBLICATIONS = tuple(dict.fromkeys(layout.source for layout in catalogue.layouts().values()))


def covariate_of(key: str) -> str | None:
    """Return the covariate id that a column key belongs to, or None."""
    name, dot, part = key.partition(".")
    covariates = catalogue.covariates()
    if name not in covariates or (dot and part not in PARTS):
        return None
    return name


def metric_of(key: str) -> str | None:
    """Return the metric id that a column key belongs to, or None."""
    name, _, part = key.partition(".")
    return name if part in PARTS and name in catalogue.metrics() else None


def declared_covariates(study: Study, metric: str) -> tuple[str, ...]:
    """Return the characteristics that a metric is to be adjusted for: the study's, else the card's."""
    card, own = catalogue.metric(metric), study.adjust or {}
    return tuple(dict.fromkeys(c for rung in ("M1", "M2") for c in own.get(rung, card.adjust.get(rung, ()))))


def declared_scenario(study: Study) -> tuple[str, ...]:
    """Return the supply that the scenario M3 is to allow for: the study's, else the catalogue's."""
    return tuple(dict.fromkeys((study.adjust or {}).get("M3", catalogue.scenario())))


def headings(value: str | list[str]) -> list[str]:
    """Return the headings that a mapping names, one or several."""
    return [value] if isinstance(value, str) else list(value)


def to_fill_in(content: object, name: str = "") -> Iterator[str]:
    """Yield the name of every place of a study that `new` left to be filled in."""
    if isinstance(content, Mapping):
        for word, value in content.items():
            yield from to_fill_in(value, f"{name}.{word}" if word in PARTS else str(word))
    elif isinstance(content, list):
        for value in content:
            yield from to_fill_in(value, name)
    elif content == TO_FILL_IN:
        yield name


def check_columns(
    sources: Sequence[SourceSpec], metrics: Sequence[str], problems: Problems, *, complete: bool = True
) -> None:
    """Note what is wrong with the column mappings of the sources, each alone and all together.

    Unless the study is complete, no place for every figure is asked for.
    """
    own = [source for source in sources if source.period is None]
    home: dict[str, SourceSpec] = {}
    twice: dict[tuple[str, str, str], None] = {}
    for source in sources:
        where = f"[source.columns] of {source.id}"
        if not source.is_publication and CODE not in source.columns:
            fix = 'Add practice_code = "the heading of the column that holds practice codes".'
            problems.add("No column is said to hold the practice code.", where, fix)
        for key, value in source.columns.items():
            _check_key(key, value, where, problems)
        if source.period is not None:
            continue
        for key in held_by(source.id) if source.is_publication else source.columns:
            if key in home and (what := _is_of_one(key, home[key], source, metrics)):
                twice[what, home[key].id, source.id] = None
            home.setdefault(key, source)
    for what, one, other in twice:
        fix = "Take it from one file only."
        problems.add(f"'{what}' is taken from two sources, {one} and {other}.", f"[[source]] {other}", fix)
    for metric in metrics if complete else ():
        if metric not in catalogue.metrics() or _still_to_come(metric, own):
            continue
        for part in PARTS:
            from_list = from_lists_of_patients(metric, part) and "list_size" in home
            if home and f"{metric}.{part}" not in home and not from_list:
                fix = f'Add "{metric}.{part}" = "heading", or a list of headings to be summed; or take the metric out.'
                if from_lists_of_patients(metric, part):
                    fix += " Patients Registered at a GP Practice has the lists: python run.py sources STUDY."
                problems.add(f"No column is said to hold the {part} of '{metric}'.", "[source.columns]", fix)


def _is_of_one(key: str, one: SourceSpec, other: SourceSpec, metrics: Sequence[str]) -> str:
    """Return what two sources may not both hold, or nothing.

    What a table of one's own says of practices goes before what a publication says; figures have no such order.
    """
    if one.is_publication or other.is_publication:
        figure = key.partition(".")[0]
        return figure if figure in (*metrics, "unmapped") else ""
    return "" if key in (CODE, PERIOD, *EXTENT) else key


def from_lists_of_patients(metric: str, part: str) -> bool:
    """Return whether a count is of registered patients, which are published for every practice."""
    return part == "denominator" and catalogue.metric(metric).kind == "rate"


def _still_to_come(metric: str, sources: Sequence[SourceSpec]) -> bool:
    """Return whether the publication that holds a metric may yet be taken into the study."""
    only_publications = all(source.is_publication for source in sources)
    return only_publications and catalogue.metric(metric).source in PUBLICATIONS


def held_by(publication: str) -> list[str]:
    """Return the figures and lists that a publication holds."""
    if publication == REFERENCE:
        published = [card.id for card in catalogue.metrics().values() if card.source in PUBLICATIONS]
        return [*(f"{metric}.{part}" for metric in published for part in PARTS), *_UNMAPPED, "list_size"]
    held = [
        f"{card.id}.{part}" for card in catalogue.metrics().values() if card.source == publication for part in PARTS
    ]
    held += _UNMAPPED if publication == "gpad" else []
    return [*held, "list_size"] if publication == "registered_patients" else held


def _check_key(key: str, value: object, where: str, problems: Problems) -> None:
    known_plain = (CODE, PERIOD, *EXTENT, *HOLDINGS, *TEXTS, *NUMBERS)
    metric, covariate = metric_of(key), covariate_of(key)
    if key not in known_plain and metric is None and covariate is None:
        every = [*known_plain, *(f"{name}.{part}" for name in catalogue.metrics() for part in PARTS)]
        every += [*catalogue.covariates(), *(f"{name}.{part}" for name in catalogue.covariates() for part in PARTS)]
        fix = (
            nearest(key, every).strip()
            or "Use a metric's id with .numerator or .denominator, or a characteristic's id."
        )
        problems.add(f"A column cannot be said to hold '{key}'.", where, fix)
        return
    texts = isinstance(value, list) and bool(value) and all(isinstance(item, str) and item.strip() for item in value)
    if not texts and not (isinstance(value, str) and value.strip()):
        problems.add(f"'{key}' must name a heading of the file, or a list of headings.", where)
    elif isinstance(value, list) and key in (CODE, PERIOD, *EXTENT, *HOLDINGS, *TEXTS):
        problems.add(f"'{key}' is text and can come from one column only.", where, "Name one heading.")
    elif isinstance(value, list) and len(set(value)) < len(value):
        problems.add(f"'{key}' names the same heading twice, which would count it twice.", where, "Name it once.")
    elif covariate and "." in key and catalogue.covariate(covariate).shape != "prevalence":
        fix = f'Write {covariate} = "heading" or {covariate} = ["heading", "heading"].'
        problems.add(f"'{covariate}' is not made of a numerator and a denominator.", where, fix)
    elif covariate and "." not in key and isinstance(value, list) and catalogue.covariate(covariate).shape != "shares":
        problems.add(f"'{covariate}' is one number or word for each practice, so it needs one heading.", where)
