"""What every kind of page has: its banner, its notes, what it allowed for and where its numbers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import boxes, phrases, sources

if TYPE_CHECKING:
    from gpvar.results import Run

NAN = float("nan")


def banner(simulated: bool, private: bool) -> str:
    """Return the line at the head of every page that needs one."""
    said = [phrases.SIMULATED] if simulated else []
    said += [phrases.PRIVATE_LONG] if private else []
    return " · ".join(said)


def after_table(text: str) -> str:
    """Return a paragraph that keeps clear of the table before it."""
    return f'::: {{.after custom-style="After Table"}}\n\n{text}\n\n:::'


def note(text: str) -> str:
    """Return small print."""
    return f'::: {{.note custom-style="Note"}}\n\n{text}\n\n:::'


def after_heading(covariates: dict[str, list[str]]) -> str:
    """Return the heading of the section on adjustment."""
    return "After allowing for patients" if covariates.get("M1") else "What was allowed for"


def allowed(covariates: dict[str, list[str]], dropped: dict[str, str], compares: str) -> str:
    """Return what each rung allows for, or that nothing was and why."""
    need = covariates.get("M1", [])
    more = [c for c in covariates.get("M2", []) if c not in need]
    if not need:
        text = [boxes.nothing_allowed_for({c: why for c, why in dropped.items() if c not in more})]
        text += [f"M2 allows for {boxes.allowed_for(more)} alone."] if more else []
    else:
        text = [f"{compares} with practices with the same {boxes.allowed_for_need(need)}."]
        text += [f"M2 adds {boxes.allowed_for(more)}."] if more else []
    return " ".join(text)


def sources_of(run: Run, card: Any, meta: dict[str, Any], *, sent: bool = True) -> str:
    """Return sources, hashes, versions and licence lines; where the page is `sent`, how often the tool is wrong."""
    covariates = sorted({c for ids in meta.get("covariates", {}).values() for c in ids})
    own = {spec.id for spec in getattr(run.study, "sources", ()) if not spec.is_publication}
    lines = [
        f"Files: {sources.files(run.table.provenance, own)}.",
        sources.dates(run.table.dates, covariates),
        sources.declared(run, sent=sent),
        sources.licences(card, covariates, bool(run.meta.get("simulated"))),
    ]
    body = " ".join(line for line in lines if line)
    return f'## Sources\n\n::: {{.sources custom-style="Sources"}}\n\n{body}\n\n:::'
