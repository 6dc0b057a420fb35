"""The decision table at work: the first rule whose conditions all hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.catalogue import letters
from gpvar.errors import StatsError

if TYPE_CHECKING:
    from collections.abc import Collection


def decide(test: str, holding: Collection[str]) -> letters.Rule | None:
    """Return the rule that decides a test.

    Parameters
    ----------
    test
        Of the claim's template.
    holding
        Ids of the conditions that hold.

    Returns
    -------
    Rule or None
        None when no rule of every sentence holds and the test has none of its own that does.

    Raises
    ------
    StatsError
        When a condition is not in the table: a slip of ours that would otherwise decide nothing, silently.
    """
    strangers = sorted(set(holding) - set(letters.conditions()))
    if strangers:
        raise StatsError("A condition is not in the decision table.", strangers[0], "Add it to decisions.toml.")
    return next((rule for rule in letters.rules_of(test) if set(rule.when) <= set(holding)), None)
