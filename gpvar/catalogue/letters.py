"""What letters say, how each sentence is decided, and what to ask: templates, decision table and questions, as data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from gpvar.catalogue._cards import build
from gpvar.catalogue._files import content, read
from gpvar.errors import SourceError

#: The findings, in the order in which a summary lists them.
VERDICTS = ("supported", "not_attributable", "contradicted", "not_shown", "not_decidable", "wrong_metric")
#: The test whose rules are tried first, for every template.
ANY = "any"


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of sentence: what it needs, how it is tested, and when the ICB is right."""

    id: str
    number: int
    title: str
    example: str
    about: str
    test: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    honest: str
    right: str
    ask: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    source: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the decision table.

    Attributes
    ----------
    when
        Ids of conditions that must all hold; empty: whenever no rule above did.
    numbers
        Names of the numbers that the sentence of `reason` needs.
    would_change, ask
        What would change the finding, and the questions that go with it.
    """

    test: str
    when: tuple[str, ...]
    verdict: str
    reason: str
    numbers: tuple[str, ...]
    would_change: tuple[str, ...]
    ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask an ICB for.

    Attributes
    ----------
    group
        Questions of one group are asked under one number.
    asked_of
        Marks of the sentences that need it, besides those of templates that name it.
    stated_by
        The field of a claim that answers it; empty where none does.
    instead
        The question that is still open then; empty for none.
    """

    id: str
    short: str
    question: str
    why: str
    group: str
    asked_of: tuple[str, ...]
    stated_by: str = ""
    instead: str = ""


@cache
def templates() -> Mapping[str, Template]:
    """Return every template by id, in the order of the drop-down list."""
    return MappingProxyType(
        {i: build(Template, {"id": i, **t}, f"claims.toml, {i}") for i, t in read("claims.toml").items()}
    )


@cache
def questions() -> Mapping[str, Question]:
    """Return every question by id."""
    return MappingProxyType(
        {i: build(Question, {"id": i, **t}, f"questions.toml, {i}") for i, t in read("questions.toml").items()}
    )


@cache
def conditions() -> Mapping[str, str]:
    """Return what each condition of the decision table means, by id."""
    return MappingProxyType(dict(read("decisions.toml")["condition"]))


@cache
def rules() -> tuple[Rule, ...]:
    """Return the decision table, in the order in which rules are tried.

    Raises
    ------
    SourceError
        When a rule names a condition, a verdict or a question that does not exist.
    """
    found = [_rule(table, number) for number, table in enumerate(read("decisions.toml")["rule"], start=1)]
    return tuple(found)


def _rule(table: dict[str, Any], number: int) -> Rule:
    rule = build(Rule, table, f"decisions.toml, rule {number}")
    strangers = [name for name in rule.when if name not in conditions()]
    strangers += [name for name in rule.ask if name not in questions()]
    strangers += [rule.verdict] if rule.verdict not in VERDICTS else []
    if strangers:
        raise SourceError(
            f"A rule names {strangers[0]}, which does not exist.", f"decisions.toml, rule {number}", "Correct it."
        )
    return rule


def rules_of(test: str) -> tuple[Rule, ...]:
    """Return the rules that decide a test: those of every sentence first, then its own."""
    return tuple(rule for rule in rules() if rule.test in (ANY, test))


@cache
def table_sha256() -> str:
    """Return the SHA-256 of the decision table, as anyone may take it of the file."""
    return hashlib.sha256(content("decisions.toml")).hexdigest()


def fingerprint() -> list[dict[str, Any]]:
    """Return the tables that decide findings, as they are read."""
    return [read("claims.toml"), read("decisions.toml")]
