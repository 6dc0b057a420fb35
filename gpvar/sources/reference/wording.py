"""What a reference file says to people: what it is, what each column means, and whom to name under its figures."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.problems import count, listing
from gpvar.sources._publications import in_words
from gpvar.sources.reference.editions import publication
from gpvar.sources.reference.frames import Packed
from gpvar.sources.reference.gathering import lacking
from gpvar.study import Period

READ_ME, ATTRIBUTION, DICTIONARY = "READ ME.txt", "ATTRIBUTION.txt", "data_dictionary.csv"
_COLUMNS = ("file", "column", "stands_in", "type", "unit", "meaning", "publication", "date")
_WIDTH = 118


def texts(manifest: Mapping[str, Any], tables: Mapping[str, Packed]) -> dict[str, bytes]:
    """Return the members of a reference file that are for people.

    Parameters
    ----------
    manifest
        What the file says of itself.
    tables
        Its tables.
    """
    words = catalogue.reference()
    period = Period(manifest["months"][0], manifest["months"][-1])
    publications = manifest["publications"]
    every = [*publications, *manifest["alternatives"]]
    without = lacking(said["id"] for said in publications)
    read_me = words["read_me"].format(
        period=period.label,
        made_on=day_in_words(date.fromisoformat(manifest["made_on"])),
        version=manifest["gpvar"],
        simulated=words["simulated"] if manifest["simulated"] else "",
        practices=f"{manifest['practices']:,}",
        months=count(len(manifest["months"]), "month"),
        dates=_indented(_dates(publications)),
        lacking=words["lacking"].format(titles=listing(without, 20)) if without else "",
        files=_indented(_files(every)),
    )
    attribution = words["attribution"].format(period=period.label, lines="\n".join(_lines(every)))
    return {
        READ_ME: _for_people(read_me),
        ATTRIBUTION: _for_people(attribution),
        DICTIONARY: _dictionary(manifest, tables),
    }


def _for_people(text: str) -> bytes:
    # With the mark and the line ends that a plain editor on any system shows as they are.
    return b"\xef\xbb\xbf" + (text.strip() + "\n").replace("\n", "\r\n").encode("utf-8")


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(
        textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)
        for line in lines
    )


def _dates(publications: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for said in publications:
        by_month: dict[str, list[str]] = {}
        for name, month in said["dates"].items():
            by_month.setdefault(month, []).append(catalogue.covariate(name).title)
        for month, titles in sorted(by_month.items()):
            yield f"{in_words(month)}: {listing(titles, 30)}"


def _files(publications: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    named: dict[str, dict[str, None]] = {}
    for said in publications:
        named.setdefault(publication(said["id"]), {}).update(dict.fromkeys(row["file"] for row in said["files"]))
    for source, names in named.items():
        yield f"{catalogue.sources()[source].title}: {listing(names, 60)}"


def _lines(publications: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the licence line of each publication, each once."""
    cards = catalogue.sources()
    sources = dict.fromkeys(
        row["source"] for said in publications for row in (*said["files"], {"source": publication(said["id"])})
    )
    return list(dict.fromkeys(f"{cards[source].attribution}" for source in sources))


def _dictionary(manifest: Mapping[str, Any], tables: Mapping[str, Packed]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    dates = {said["id"]: said["dates"] for said in (*manifest["publications"], *manifest["alternatives"])}
    for member, table in tables.items():
        for name in table.keys:
            kind, unit, meaning = catalogue.reference()["meanings"][name]
            writer.writerow((member, name, "", kind, unit, meaning, "", ""))
        for name, said in table.where.items():
            source, colon, plain = name.partition(": ")
            own = plain if colon else source
            kind, unit, meaning = _meaning(own, manifest["definitions"])
            stands_in = said["column"] if said["column"] != name else ""
            title = catalogue.sources()[publication(source)].title if colon else ""
            when = dates.get(source, {}).get(own.partition(".")[0], "")
            writer.writerow((member, name, stands_in, kind, unit, meaning, title, when))
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8")


def _meaning(name: str, definitions: Mapping[str, str]) -> tuple[str, str, str]:
    """Return type, unit and meaning of a column."""
    meanings = catalogue.reference()["meanings"]
    base, _, part = name.partition(".")
    stem, colon, label = name.partition(": ")
    if base in catalogue.covariates():
        covariate = catalogue.covariate(base)
        kind = meanings["category" if covariate.shape == "category" else "covariate"][0]
        unit = {"prevalence": "patients", "shares": "share, 0 to 1"}.get(covariate.shape, "")
        return kind, unit, f"{covariate.title}{f', {part}' if part else ''}. {covariate.years}"
    if base in catalogue.metrics():
        metric = catalogue.metric(base)
        kind, unit, meaning = meanings["metric"]
        return kind, unit, meaning.format(part=part.capitalize(), title=metric.short, words=getattr(metric, part))
    kind, unit, meaning = meanings.get(stem + colon, meanings["counted"])
    return kind, unit, meaning.format(label=label, rows=definitions.get(name, ""))
