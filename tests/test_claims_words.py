"""Every sentence on a statement of a letter is rendered for every finding and read for what must never be said."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import re

import pytest

from gpvar.catalogue import letters
from gpvar.results import Claim, Figure
from gpvar.words import claims, claims_beside, claims_facts, console, phrases
from gpvar.words.claims_facts import odds, part
from tests import synthetic
from tests.claim_findings import finding, placed, templates_of
from tests.reading import grade
from tests.support import ROOT
from tests.test_words import FORBIDDEN, PERCENT_OF_NOTHING, UNQUALIFIED_SIGNIFICANT

METRICS = ("same_day_share", "appointments_per_1000")
WAYS = ("usual", "unknown", "nought", "turned", "certain", "nearly")
RULES = {f"{rule.test}-{rule.reason}": rule for rule in letters.rules()}
CERTAIN = re.compile(
    r"\b(0|100) in 100\b|\b99\.9\d*[1-9]%|\b100%|\bcertain(ly)?\b|(?<!not )\bprove[nds]?\b|\bundoubted", re.IGNORECASE
)
#: Reasons that something is not known.
NOT_KNOWN = (
    "rank_needs_months",
    "rank_outside_model",
    "chance_not_separated",
    "sum_needs_months",
    "group_movement_unknown",
    "variation_needs_months",
)
TERMS = ("percentage points", "percentage point", "interval", "reliability", "sampling", "deprivation")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    return synthetic.make_run(tmp_path_factory.mktemp("claims"), (synthetic.Card(), synthetic.RATE), n=60)


def every_sentence(facts: claims.ClaimFacts) -> list[str]:
    return [
        claims.finding_sentence(facts),
        claims.finding_verdict(facts),
        claims.finding_position(facts),
        claims.finding_arithmetic(facts),
        claims.finding_gates(facts),
        claims.finding_summary(facts),
        *claims.finding_right(facts),
        *claims.finding_beside(facts),
        *claims.finding_change(facts),
        *claims.finding_ask(facts),
    ]


def outside_quotations(said: str) -> str:
    return re.sub(r"“[^”]*”", "“so”", console.without_markdown(said))


def refuse(said: str, situation: object) -> None:
    plain = outside_quotations(said)
    for pattern in (FORBIDDEN, UNQUALIFIED_SIGNIFICANT, PERCENT_OF_NOTHING, CERTAIN):
        assert not pattern.search(plain), (situation, pattern.search(plain), said)
    assert plain[0].isupper() or plain[0].isdigit() or plain[0] == "“", (situation, said)
    assert plain[-1] in ".?", (situation, said)


@pytest.mark.parametrize("name", RULES)
def test_no_sentence_on_a_statement_says_what_must_never_be_said(run, name: str) -> None:
    rule, read = RULES[name], set()
    every = tuple(claims_beside.BESIDE)
    ways = itertools.product(templates_of(rule.test), METRICS, ("low", "high", ""), WAYS)
    for number, (template, metric, direction, way) in enumerate(ways):
        comparator = ("england", "own_icb")[number % 5 == 0]
        found = finding(run, rule, template, metric, direction, way, comparator, every)
        for said in every_sentence(claims.claim_facts(run, found)):
            if said and said not in read:
                read.add(said)
                refuse(said, (name, template.id, metric, direction, way, comparator))


@pytest.mark.parametrize("name", RULES)
def test_every_reason_has_a_sentence_that_holds_its_numbers(run, name: str) -> None:
    rule = RULES[name]
    assert rule.reason in claims.REASONS
    for template, metric in itertools.product(templates_of(rule.test), METRICS):
        facts = claims.claim_facts(run, finding(run, rule, template, metric))
        said = claims.finding_sentence(facts)
        assert said and "Reason:" not in said, said
        assert rule.reason in NOT_KNOWN or "not known" not in said, said
        assert len(said.split()) < 150, said


def test_every_sentence_belongs_to_a_reason_that_is_still_in_the_table() -> None:
    assert set(claims.REASONS) == {rule.reason for rule in letters.rules()}


def test_everything_that_would_change_a_finding_has_a_sentence() -> None:
    assert set(claims_beside.CHANGE) == {name for rule in letters.rules() for name in rule.would_change}


# What a module says beside a finding, read from its source: a new id without a sentence must not slip through.


def _words(node: ast.AST) -> set[str]:
    asked = {id(n) for test in ast.walk(node) if isinstance(test, ast.IfExp) for n in ast.walk(test.test)}
    said = (n for n in ast.walk(node) if isinstance(n, ast.Constant) and id(n) not in asked)
    texts = {n.value for n in said if isinstance(n.value, str)}
    return {text for text in texts if re.fullmatch(r"[a-z]+(_[a-z]+)+|warned", text)}


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _given(function: ast.FunctionDef) -> list[ast.AST]:
    """Return what a function gives as `beside`: the third of `Tested`, by place or by name."""
    found: list[ast.AST] = []
    for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id == "Tested":
            found += call.args[2:3] + [word.value for word in call.keywords if word.arg == "beside"]
    return found


def ids_beside(source: str) -> set[str]:
    """Return the ids that a module of the claims can say beside a finding."""
    functions = {n.name: n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)}
    found: set[str] = set()
    for function in functions.values():
        given = _given(function)
        names = set().union(*map(_names, given), {"beside"})
        for node in ast.walk(function):
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and node.value is not None:
                if any(isinstance(target, ast.Name) and target.id in names for target in targets):
                    given.append(node.value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                given += node.args if _names(node.func.value) & names else []
        found |= set().union(*map(_words, given))
        for name in set().union(*map(_names, given)) & set(functions):
            yielded = [
                n.value for n in ast.walk(functions[name]) if isinstance(n, (ast.Yield, ast.YieldFrom, ast.Return))
            ]
            found |= set().union(*(_words(value) for value in yielded if value is not None))
    return found


def test_the_reader_of_what_stands_beside_a_finding_sees_every_way_of_saying_it() -> None:
    source = """
def one(seen):
    beside = ["first_id"] if seen else []
    beside.append("second_id")
    beside += ["third_id"]
    own = ("fourth_id",) if seen["a_name"] else ()
    return Tested(frozenset({"a_condition"}), {"a_number": 1}, (*beside, *own))
def two(seen):
    return Tested(frozenset(), beside=tuple(_said(seen)))
def _said(seen):
    if seen["a_column"] == "failed":
        yield "fifth_id"
"""
    assert ids_beside(source) == {"first_id", "second_id", "third_id", "fourth_id", "fifth_id"}


def test_everything_that_the_checks_say_beside_a_finding_has_a_sentence() -> None:
    modules = sorted((ROOT / "gpvar" / "claims").glob("*.py"))
    named = {path.name: ids_beside(path.read_text(encoding="utf-8")) for path in modules}
    missing = {name: sorted(ids - set(claims_beside.BESIDE)) for name, ids in named.items()}
    assert {"comparator_changed", "warned"} <= named["always.py"]
    assert not {name: ids for name, ids in missing.items() if ids}


def test_the_phrases_of_the_findings_are_those_of_the_method() -> None:
    assert claims_facts.VERDICT == {
        "supported": "The statement holds",
        "not_attributable": "True, but not a fair comparison of practices",
        "contradicted": "The data do not show this",
        "not_shown": "The data do not show this",
        "not_decidable": "Cannot be checked yet",
        "wrong_metric": "Measures something else",
    }


@pytest.mark.parametrize("name", RULES)
def test_the_finding_comes_first_and_what_the_board_has_right_is_never_empty(run, name: str) -> None:
    rule = RULES[name]
    for template, way in itertools.product(templates_of(rule.test), WAYS):
        facts = claims.claim_facts(run, finding(run, rule, template, METRICS[0], way=way))
        assert claims.finding_verdict(facts).startswith(f"**{claims_facts.VERDICT[rule.verdict]}.** ")
        assert claims.finding_summary(facts).startswith(f"{claims_facts.VERDICT[rule.verdict]}. ")
        assert all(claims.finding_right(facts)) and claims.finding_right(facts)


@pytest.mark.parametrize("position", phrases.POSITION)
@pytest.mark.parametrize("verdict", letters.VERDICTS)
def test_statement_and_position_stand_in_one_sentence(run, verdict: str, position: str) -> None:
    rule = next(rule for rule in letters.rules() if rule.verdict == verdict)
    found = placed(finding(run, rule, letters.templates()["tail"], METRICS[0]), position)
    said = claims.finding_position(claims.claim_facts(run, found))
    plain = console.without_markdown(said)
    assert phrases.POSITION[position] in said and "(M1, England)" in plain
    assert len(re.findall(r"[.!?](?=\s|$)", plain)) == 1 and said.endswith(".")


def test_holds_beside_so_are_many_is_not_left_to_read_as_a_contradiction(run) -> None:
    rule = RULES["rank-rank_holds"]
    found = placed(finding(run, rule, letters.templates()["tail"], METRICS[0]), "usual")
    assert claims.finding_position(claims.claim_facts(run, found)) == (
        "The sentence in the letter holds, and the practice's position among others, after allowing for patients, is "
        "“Different, but so are many” (M1, England): a sentence can be true of a practice and of many others too."
    )


def test_a_practice_that_stands_out_on_the_other_side_is_not_said_to_agree(run) -> None:
    rule = RULES["rank-rank_unlikely"]
    found = placed(finding(run, rule, letters.templates()["tail"], METRICS[0]), "unusual")
    way = "low" if found.rungs[1]["difference"] > 0 else "high"
    found = dataclasses.replace(found, claim=dataclasses.replace(found.claim, direction=way))
    assert "it stands out on the other side" in claims.finding_position(claims.claim_facts(run, found))


def test_a_sentence_about_an_area_has_no_position(run) -> None:
    found = finding(run, RULES["fold-variation_is_real"], letters.templates()["fold"], METRICS[0])
    assert claims.finding_position(claims.claim_facts(run, found)) == ""


def test_what_is_true_as_arithmetic_is_said_of_a_place(run) -> None:
    found = finding(run, RULES["rank-rank_unlikely"], letters.templates()["tail"], METRICS[0])
    facts = claims.claim_facts(run, found)
    place = "True as arithmetic on the published figures: 190th lowest of 6,067."
    assert claims.finding_arithmetic(facts).startswith(place) and claims.finding_right(facts)[0] == place
    out = dataclasses.replace(found, numbers={**found.numbers, "in_tail": False})
    facts = claims.claim_facts(run, out)
    assert "Not so as arithmetic" in claims.finding_arithmetic(facts)
    assert not any("arithmetic" in said for said in claims.finding_right(facts))


def test_the_chance_of_a_place_is_said_before_and_after_allowing_for_patients(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0])
    said = claims.finding_sentence(claims.claim_facts(run, found))
    assert said.startswith(
        "The chance that the practice's lasting figure is in the lowest tenth of practices in England is 93 in 100 on "
        "the raw figures, 88 in 100 after allowing for patients and 91 in 100 after allowing for setting too."
    )
    assert "between 120th and 310th lowest of 5,990, 95 times in 100" in said
    assert "its reliability is 0.84; a claim with consequences needs 0.9" in said.replace("Its", "its")


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.0, "less than 1 in 100"), (1.0, "more than 99 in 100"), (0.7996, "79 in 100"), (0.8, "80 in 100"),
     (0.2004, "21 in 100"), (0.2, "20 in 100"), (0.55, "55 in 100")],
)  # fmt: skip
def test_a_chance_is_never_rounded_on_to_a_line_that_it_does_not_reach(p: float, said: str) -> None:
    assert odds(p) == said


@pytest.mark.parametrize(
    ("tail", "sign", "said"),
    [(0.1, -1, "in the lowest tenth"), (0.2, 1, "in the highest fifth"), (0.25, -1, "in the lowest quarter"),
     (0.5, 1, "in the upper half"), (0.15, -1, "among the lowest 15 in 100")],
)  # fmt: skip
def test_the_part_of_all_practices_is_named(tail: float, sign: int, said: str) -> None:
    assert part(tail, sign) == said


def test_a_difference_that_could_have_been_missed_is_said_where_nothing_is_shown(run) -> None:
    found = finding(run, RULES["margin-shortfall_not_shown"], letters.templates()["below_mean"], METRICS[0])
    said = claims.finding_sentence(claims.claim_facts(run, found))
    assert "8.1 percentage points lower than the middle of practices in England, " in said
    assert "(95% interval for sampling alone: 6.2 to 10.1)" in said
    assert "a difference of 6.0 percentage points could have been missed" in said


def test_the_side_that_the_check_settled_on_is_the_side_that_is_said(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["league_place"], METRICS[0], "high")
    low = dataclasses.replace(found, numbers={**found.numbers, "side": "low", "tail": 0.25})
    assert "in the lowest quarter" in claims.finding_sentence(claims.claim_facts(run, low))
    assert "in the highest tenth" in claims.finding_sentence(claims.claim_facts(run, found))


def test_a_letter_is_quoted_as_text(run) -> None:
    hostile = "<b>Copper</b> is | `worst` $x$"
    assert claims.letter_quotation(Claim("1", "tail", text=hostile)) == (r"“\<b\>Copper\<\/b\> is \| \`worst\` \$x\$”")
    assert claims.letter_quotation(Claim("1", "tail")) == r"In the lowest or highest tenth \(or fifth\)"
    found = finding(run, RULES["any-figure_far"], letters.templates()["tail"], METRICS[0], way="turned")
    figure = Figure("<31>", 31.0, 0)
    odd = dataclasses.replace(found, claim=dataclasses.replace(found.claim, figure=figure))
    assert r"“\<31\>”" in claims.finding_arithmetic(claims.claim_facts(run, odd))


def test_a_finding_of_another_version_is_named_and_not_hidden(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0], beside=("a_new_remark",))
    found = dataclasses.replace(found, because=("a_new_reason", "a_new_remark"), would_change=("a_new_thing",))
    facts = claims.claim_facts(run, found)
    assert claims.finding_sentence(facts) == "Reason: a new reason."
    assert claims.finding_beside(facts) == ["Note from the check: a new remark."]
    assert claims.finding_change(facts) == ["A new thing."]


def test_checks_that_failed_and_checks_not_made_are_named(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0])
    said = claims.finding_gates(claims.claim_facts(run, found))
    assert "could not be made" in said
    clean = dataclasses.replace(found, gates=())
    assert claims.finding_gates(claims.claim_facts(run, clean)) == "**No check of the data failed.**"


def test_what_is_said_of_a_statement_can_be_read_at_school_leaving_age(run) -> None:
    grades = {}
    for name, rule in RULES.items():
        template = templates_of(rule.test)[0]
        facts = claims.claim_facts(run, finding(run, rule, template, METRICS[0]))
        said = [claims.finding_verdict(facts), claims.finding_position(facts), *claims.finding_right(facts)]
        said += [*claims.finding_beside(facts), *claims.finding_change(facts)]
        plain = re.sub(r"\s*\(M\d−?, [^()]*\)", "", console.without_markdown(" ".join(said)))
        grades[name] = grade(plain, (*TERMS, facts.card.short, facts.card.noun_denominator))
    assert sum(grades.values()) / len(grades) <= 9
    assert max(grades.values()) <= 10.5, sorted(grades, key=lambda name: -grades[name])[:5]


def test_variation_that_is_real_is_not_thereby_said_to_be_unwarranted(run) -> None:
    found = finding(run, RULES["fold-variation_is_real"], letters.templates()["fold"], METRICS[0])
    facts = claims.claim_facts(run, found)
    assert claims.finding_sentence(facts).startswith(
        "That is so of the range and of the variation: it is real. That it is “unwarranted” does not follow: that is a "
        "judgement. Of 100 parts"
    )
    assert "statement holds" not in " ".join(claims.finding_right(facts))


def test_chances_that_are_the_same_are_said_once(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0])
    sure = {"p_raw": 0.999, "p_adjusted": 0.998, "p_setting": 0.997}
    sure = dataclasses.replace(found, numbers={**found.numbers, **sure})
    said = claims.finding_sentences(claims.claim_facts(run, sure))[0]
    assert said.count("in 100") == 1 and "more than 99 in 100, on the raw figures and after allowing" in said


def test_a_practice_that_the_data_cannot_place_is_conceded_nothing_of_its_figure(run) -> None:
    found = placed(finding(run, RULES["any-stop_gate"], letters.templates()["tail"], METRICS[0]), "not_decidable")
    found = dataclasses.replace(found, numbers={"gates": ["suppressed"]}, arithmetic="not_checked")
    right = claims.finding_right(claims.claim_facts(run, found))
    assert right == ["Nothing here shows that the ICB is wrong. These data cannot settle it either way."]


def test_a_check_that_warns_is_said_beside_the_finding_with_what_it_means(run) -> None:
    found = finding(
        run, RULES["margin-shortfall_holds"], letters.templates()["too_low"], METRICS[1], beside=("warned",)
    )
    gate = {"gate": "atypical", "severity": "warn", "state": "failed", "detail": ""}
    facts = claims.claim_facts(run, dataclasses.replace(found, gates=(gate,)))
    assert claims.finding_beside(facts)[0].startswith("A warning from the checks. The list sets the practice apart")


def test_nothing_is_called_good_enough_where_no_direction_is_known_to_be_better(run) -> None:
    found = placed(finding(run, RULES["rank-rank_unlikely"], letters.templates()["tail"], METRICS[0]), "usual")
    facts = claims.claim_facts(run, found)
    assert facts.card is not None and facts.card.better == "unknown"
    said = f"{claims.finding_position(facts)} {' '.join(claims.finding_right(facts))}"
    assert "good enough" not in said and "settle whether the figure matters to patients" in said
