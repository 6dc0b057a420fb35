"""A claim and a run → a finding."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar.catalogue import letters
from gpvar.claims import always, arithmetic, ends, periods, places
from gpvar.claims.decide import decide
from gpvar.claims.evidence import Evidence, Tested
from gpvar.claims.registry import TESTS
from gpvar.errors import GpvarError, StatsError
from gpvar.results import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gpvar.catalogue.letters import Rule
    from gpvar.results import Claim, Run

#: Raised by one whenever the code that decides findings changes what it finds: stored findings are then made anew.
RULES = 6
_SHOWN = (
    "rung", "value", "centre", "difference", "difference_lower", "difference_upper", "z", "position", "movement",
    "explained_share", "percentile", "gap_per_week", "exceeds_margin", "rank", "ranked", "middle_lower", "middle_upper",
)  # fmt: skip


def check_claim(claim: Claim, run: Run) -> Finding:
    """Return what a run says of one sentence of a letter.

    Parameters
    ----------
    claim
        The sentence (`gpvar.claims.read_letter` reads them).
    run
        What `gpvar.run` or `gpvar.load_run` returned.

    Returns
    -------
    Finding
        By the decision table ``catalogue/decisions.toml``; nothing is stored.
    """
    return _checked(claim, run, {})


def check_all(
    claims: Iterable[Claim], run: Run, beginning: Callable[[Claim], None] = lambda claim: None
) -> tuple[Finding, ...]:
    """Return the findings on all sentences of a letter, in order; what takes long is done once for all of them.

    Parameters
    ----------
    claims, run
        The sentences, and what was analysed.
    beginning
        Called with each sentence before it is checked.
    """
    cache: dict[Any, Any] = {}
    found = []
    for claim in claims:
        beginning(claim)
        found.append(_checked(claim, run, cache))
    return tuple(found)


def fingerprint(claims: Iterable[Claim]) -> str:
    """Return the SHA-256 of a letter's sentences and of what decides them: the tables, and the rules in code."""
    parts = [RULES, [asdict(claim) for claim in claims], letters.fingerprint()]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _checked(claim: Claim, run: Run, cache: dict[Any, Any]) -> Finding:
    try:
        return _judged(claim, run, cache)
    except (GpvarError, ArithmeticError, np.linalg.LinAlgError) as error:
        # One sentence that cannot be computed takes no other with it; what went wrong is told with it.
        return _not_computed(claim, run, error)


def _judged(claim: Claim, run: Run, cache: dict[Any, Any]) -> Finding:
    seen = periods.placed(Evidence(claim, run, cache))
    decided = _decided(seen)
    if decided[0].reason == "hidden":
        decided = _at_both_ends(seen) or decided
    return _finding(seen, *decided)


def _not_computed(claim: Claim, run: Run, error: Exception) -> Finding:
    rule = decide("", {"not_computed"})
    assert rule is not None
    message = error.problem if isinstance(error, GpvarError) else f"{type(error).__name__}: {error}"
    where = {"run": run.meta.get("key", ""), "metric": claim.metric, "period": claim.period, "files": []}
    return Finding(
        claim, rule.verdict, (rule.reason,), {"message": message}, would_change=rule.would_change, disclose=rule.ask,
        source=where,
    )  # fmt: skip


def _decided(seen: Evidence) -> tuple[Rule, Tested, Tested]:
    """Return the rule that decides, what was looked at before the test, and what the test found."""
    first = always.tested(seen)
    rule = decide("", first.holding)
    tested = Tested(frozenset())
    if rule is None:
        tested = TESTS[seen.template.test](seen)
        rule = decide(seen.template.test, tested.holding)
    if rule is None:
        where = f"{seen.claim.where or seen.claim.id}: {seen.claim.template}"
        raise StatsError("No rule of the decision table fits a claim.", where, "Report it.")
    return rule, first, tested


def _at_both_ends(seen: Evidence) -> tuple[Rule, Tested, Tested] | None:
    """Return the finding that holds whatever a hidden count is; None where it matters what it is."""
    pair = ends.both(seen)
    found = [_decided(end) for end in pair] if pair else []
    answers = {(rule.verdict, rule.reason, tested.numbers.get("side")) for rule, _, tested in found}
    if len(answers) != 1 or found[0][0].verdict == "not_decidable":
        return None
    rule, first, tested = found[ends.shown(found[0][0].verdict, seen.sign)]
    low, high = (always.tested(seen).numbers[end] for end in ("low", "high"))
    numbers = {**tested.numbers, "low": low, "high": high}
    return rule, first, replace(tested, numbers=numbers, beside=(*tested.beside, "hidden_both_ends"))


def _finding(seen: Evidence, rule: Rule, first: Tested, tested: Tested) -> Finding:
    numbers = {**_published(seen), **first.numbers, **tested.numbers}
    missing = [name for name in rule.numbers if name not in numbers]
    if missing:
        raise StatsError(
            "A finding lacks a number that its sentence needs.", f"{rule.reason}: {missing[0]}", "Report it."
        )
    beside = dict.fromkeys((*first.beside, *tested.beside))
    return Finding(
        claim=seen.claim,
        verdict=rule.verdict,
        because=(rule.reason, *beside),
        numbers={name: _plain(value) for name, value in numbers.items()},
        arithmetic=arithmetic.of(seen, numbers),
        comparator=seen.comparator,
        gates=always.gates(seen),
        rungs=tuple({name: _plain(row[name]) for name in _SHOWN if name in row} for row in always.rows(seen)),
        robustness=always.robustness(seen),
        would_change=rule.would_change,
        disclose=tuple(dict.fromkeys((*rule.ask, *seen.template.ask))),
        source=always.source(seen),
    )


def _published(seen: Evidence) -> dict[str, Any]:
    """Return what anybody can count of the practice's figure, whatever is found of the sentence."""
    if not seen.claim.practice_code or seen.claim.metric not in seen.run.analyses:
        return {}
    return {"figure_right": always.figure_right(seen), "derived": seen.derived, **places.published(seen)}


def _plain(value: Any) -> Any:
    """Return a number, text or list as Python has it, NaN as None: a finding is stored as JSON."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
