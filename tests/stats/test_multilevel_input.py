from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gpvar.errors import StatsError
from gpvar.stats.multilevel import _separation
from gpvar.stats.multilevel._model import ModelData, from_formula, from_matrix
from tests.support import reference

ROWS = 120


def world() -> pd.DataFrame:
    """Forty practices in fourteen networks in five areas, three months each."""
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(40), 3)
    return pd.DataFrame(
        {
            "seen": rng.integers(4, 17, ROWS),
            "booked": np.full(ROWS, 20),
            "imd": rng.normal(size=ROWS),
            "age": rng.normal(40.0, 5.0, ROWS),
            "list size": rng.integers(1000, 9000, ROWS),
            "region": rng.choice(["North", "South", "West"], ROWS),
            "month": np.tile([4, 5, 6], 40),
            "practice": [f"A{i:02d}" for i in unit],
            "network": [f"U{i // 3:02d}" for i in unit],
            "area": [f"Q{i // 9}" for i in unit],
        }
    )


def read(formula: str = "seen ~ imd + age", data: Any = None, **options: Any) -> ModelData:
    options = {"family": "binomial", "groups": ["area", "practice"], **options}
    if options["family"] == "binomial":
        options.setdefault("trials", "booked")
    return from_formula(formula, world() if data is None else data, **options)


def refusal(*args: Any, **options: Any) -> StatsError:
    with pytest.raises(StatsError) as caught:
        read(*args, **options)
    error = caught.value
    assert error.problem and error.where and error.fix, "an error says what, where and what to do"
    return error


def without_order(data: ModelData) -> tuple[Any, ...]:
    order = np.argsort(data.rows)
    return data.design[order], data.response[order], [code[order] for code in data.codes], data.units


# What is read


@pytest.mark.parametrize(
    "right",
    [
        "1",
        "imd + age",
        "0 + region",
        "region * C(month)",
        "C(region, Treatment('South')) + imd:age",
        "C(month, Sum)",
        "C(month, levels=[6, 5, 4])",
        "bs(imd, df=4) + center(age)",
        "standardize(age) + I(imd ** 2) + np.log(age)",
        "Q('list size') + I(region == 'North')",
    ],
)
def test_a_formula_gives_the_columns_that_patsy_gives(right: str) -> None:
    data = world()
    wanted = patsy.dmatrix(right, data, return_type="dataframe")
    found = read(f"seen ~ {right}", data)
    assert found.columns == tuple(wanted.columns)
    np.testing.assert_allclose(found.reader.design(data), wanted.to_numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.design, found.reader.design(data)[:, found.kept])


@pytest.mark.parametrize(
    "right", ["region + C(month)", "center(age) + bs(imd, df=4)", "C(region, Sum) * imd", "np.log(age)"]
)
def test_new_data_are_coded_by_what_was_fitted(right: str) -> None:
    data = world()
    found = read(f"seen ~ {right}", data)
    for part in (data.iloc[5:6], data[data["region"] == "West"], data.iloc[::-1]):
        np.testing.assert_allclose(
            found.reader.design(part)[:, found.kept], found.design[part.index], rtol=1e-12, atol=1e-12
        )


def test_a_formula_and_ready_columns_are_read_alike() -> None:
    data = world()
    data["extra"] = np.linspace(-1.0, 1.0, ROWS)
    one = read(data=data, groups=["area", "network", "practice"], offset="extra")
    design = pd.DataFrame({"Intercept": 1.0, "imd": data["imd"], "age": data["age"]})
    two = from_matrix(
        data["seen"],
        design,
        data[["area", "network", "practice"]],
        family="binomial",
        trials=data["booked"],
        offset=data["extra"],
    )
    assert one.columns == two.columns and one.levels == two.levels and two.reader is None
    for name in ("response", "trials", "offset", "design", "kept", "rows"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name in ("codes", "units"):
        for mine, other in zip(getattr(one, name), getattr(two, name), strict=True):
            np.testing.assert_array_equal(mine, other)


def test_units_are_numbered_by_their_labels_and_know_their_parents() -> None:
    data = world()
    found = read(data=data, groups=["area", "network", "practice"])
    assert found.levels == ("area", "network", "practice")
    for level, codes, units in zip(found.levels, found.codes, found.units, strict=True):
        assert list(units) == sorted(data[level].unique()) and units.name == level
        np.testing.assert_array_equal(units.to_numpy()[codes], data[level])
    assert found.parents[0] is None
    for fine in (1, 2):
        np.testing.assert_array_equal(found.parents[fine][found.codes[fine]], found.codes[fine - 1])


def test_the_order_of_the_rows_and_their_index_do_not_matter() -> None:
    data = world()
    shuffled = data.sample(frac=1.0, random_state=8)
    one, two = read("seen ~ region + imd", data), read("seen ~ region + imd", shuffled)
    three = read("seen ~ region + imd", shuffled.set_axis(["same"] * ROWS))
    for other in (two, three):
        np.testing.assert_array_equal(one.design[shuffled.index], other.design)
        for mine, codes in zip(one.codes, other.codes, strict=True):
            np.testing.assert_array_equal(mine[shuffled.index], codes)


@pytest.mark.parametrize(
    "labels",
    [
        lambda names: names,
        lambda names: names.astype(object),
        lambda names: names.str[1:].astype(int),
        lambda names: names.str[1:].astype(float),
        lambda names: names.astype("category"),
        lambda names: pd.Categorical(names, categories=["unused", *sorted(names.unique()), "Z99"]),
        lambda names: pd.to_datetime("2025-01-01") + pd.to_timedelta(names.str[1:].astype(int), unit="D"),
    ],
    ids=["text", "object", "integer", "float", "category", "unused categories", "date"],
)
def test_labels_of_every_kind_make_the_same_units(labels: Any) -> None:
    data = world()
    plain = read(data=data)
    found = read(data=data.assign(practice=labels(data["practice"])))
    np.testing.assert_array_equal(found.codes[1], plain.codes[1])
    assert len(found.units[1]) == 40
    np.testing.assert_array_equal(found.parents[1], plain.parents[1])


def test_columns_of_every_numeric_type_are_read_alike() -> None:
    data = world()
    typed = data.astype({"seen": "Int64", "booked": "int64[pyarrow]", "imd": "Float64", "age": "double[pyarrow]"})
    np.testing.assert_array_equal(read(data=data).design, read(data=typed).design)
    np.testing.assert_array_equal(read(data=data).response, read(data=typed).response)
    as_dict = {name: data[name].to_numpy() for name in data.columns}
    np.testing.assert_array_equal(read(data=data).design, read(data=as_dict).design)


def test_a_category_that_no_row_has_gets_no_column() -> None:
    data = world()
    data["region"] = pd.Categorical(data["region"], categories=["Isles", "West", "South", "North"])
    assert read("seen ~ region", data).columns == ("Intercept", "region[T.South]", "region[T.North]")


def test_observation_is_one_unit_per_row_unless_it_is_a_column() -> None:
    found = read(groups=["area", "practice", "observation"])
    np.testing.assert_array_equal(found.codes[2], np.arange(ROWS))
    np.testing.assert_array_equal(found.parents[2], found.codes[1])
    own = read(data=world().assign(observation=lambda frame: frame["practice"]), groups=["area", "observation"])
    assert len(own.units[1]) == 40
    ready = from_matrix(
        np.arange(6.0), np.ones((6, 1)), {"unit": list("aabbcc"), "observation": None}, family="poisson"
    )
    np.testing.assert_array_equal(ready.codes[1], np.arange(6))


def test_exposure_and_offset_are_added_on_the_log_scale_and_read_again_from_new_data() -> None:
    data = world().assign(known=0.25)
    found = read(data=data, family="poisson", exposure="list size", offset="known")
    np.testing.assert_allclose(found.offset, np.log(data["list size"]) + 0.25, rtol=1e-15)
    np.testing.assert_allclose(found.reader.offset(data.head(7)), found.offset[:7], rtol=1e-15)
    np.testing.assert_array_equal(read(data=data).reader.offset(data), np.zeros(ROWS))


def test_the_response_may_be_an_expression_or_true_and_false() -> None:
    data = world().assign(many=lambda frame: frame["seen"] > 10)
    wanted = data["many"].astype(float)
    for left in ("many", "I(seen > 10)", "seen > 10"):
        np.testing.assert_array_equal(read(f"{left} ~ imd", data, trials=None).response, wanted)
    logged = read("np.log(seen) ~ imd", data, family="gaussian")
    np.testing.assert_allclose(logged.response, np.log(data["seen"]), rtol=1e-15)


def test_functions_of_the_caller_may_be_used_in_a_formula() -> None:
    def doubled(values: Any) -> Any:
        return 2.0 * values

    knots = [-0.5, 0.5]
    assert len(knots) == 2
    formula = "seen ~ doubled(imd) + bs(age, knots=[35, 45]) + bs(imd, knots=knots, degree=1)"
    found = from_formula(formula, world(), family="poisson", groups=["area"])
    np.testing.assert_allclose(found.design[:, 1], 2.0 * world()["imd"])
    assert len(found.columns) == 10


def test_what_was_read_stays_as_it_was_when_the_caller_changes_his_arrays() -> None:
    counts, design = np.array([1.0, 2.0, 3.0, 5.0]), np.ones((4, 1))
    found = from_matrix(counts, design, {"unit": [0, 0, 1, 1]}, family="poisson")
    counts[:], design[:] = -1.0, 7.0
    np.testing.assert_array_equal(found.response, [1.0, 2.0, 3.0, 5.0])
    np.testing.assert_array_equal(found.design, np.ones((4, 1)))


def test_a_reader_can_be_copied() -> None:
    reader = read("seen ~ region").reader
    assert copy.deepcopy(reader) is reader
    np.testing.assert_array_equal(copy.copy(reader).design(world()), reader.design(world()))


# What is refused


@pytest.mark.parametrize(
    ("options", "problem", "fix"),
    [
        ({"family": "binomal"}, "family", "Did you mean 'binomial'"),
        ({"groups": []}, "at least one grouping level", "coarse to fine"),
        ({"groups": ["area", "area"]}, "named twice", "once"),
        ({"groups": ["a", "b", "c", "d", "e", "observation"]}, "at most 5", "Leave out"),
        ({"groups": ["practice", "area"]}, "wrong order", "'area', 'practice'"),
        ({"groups": ["observation", "area"]}, "no labels", "name it last"),
        ({"groups": ["aera"]}, "no column 'aera'", "'area'"),
        ({"family": "poisson", "trials": "booked"}, "trials belongs to the binomial", "exposure"),
        ({"exposure": "booked"}, "exposure belongs to", "trials"),
        ({"trials": None}, "0 or 1", "trials='column'"),
        ({"groups": {"area", "practice"}}, "no order", "['area', 'practice']"),
        ({"groups": frozenset(["area"])}, "no order", "coarse to fine"),
        ({"reml": True}, "gaussian", "Leave reml out"),
        ({"reml": 1, "family": "gaussian"}, "True or False", "reml=True"),
        ({"reml": "no", "family": "gaussian"}, "True or False", "leave it out"),
        ({"n_quadrature": 9}, "one grouping level", "n_quadrature=1"),
        ({"n_quadrature": 0, "groups": "area"}, "from 1 to", "Laplace"),
        ({"n_quadrature": 2.5, "groups": "area"}, "whole number", "Laplace"),
        ({"n_quadrature": 5, "groups": "area", "family": "gaussian"}, "exact", "Leave"),
        ({"family": "gaussian", "groups": ["area", "observation"]}, "'observation' has one row per unit", "Leave"),
        ({"family": "poisson", "offset": "list size"}, "offset differs by 7,", "exposure"),
        ({"offset": np.zeros(ROWS)}, "name of a column", "data['offset']"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], problem: str, fix: str) -> None:
    error = refusal(**options)
    assert problem in error.problem and fix in error.fix


@pytest.mark.parametrize(
    ("formula", "problem", "fix"),
    [
        ("seen ~ imdd + ag", "no columns 'imdd' and 'ag'", "'imd' for 'imdd' and 'age' for 'ag'"),
        ("seen ~ imd + (1 | practice)", "Random intercepts", "groups="),
        ("cbind(seen, booked) ~ imd", "'cbind'", "trials="),
        ("seen ~ imd + offset(log(age))", "'offset' and 'log'", "offset='column'"),
        ("seen ~ tripled(imd)", "'tripled', which is neither a column nor a function", "import or define"),
        ("seen ~ as.factor(month)", "not Python", "C(column)"),
        ("seen ~ I(imd^2)", "**", "column**2"),
        ("seen ~ list size", "not Python", "Q("),
        ("~ imd", "one response", "response ~"),
        ("seen + booked ~ imd", "one response", "trials="),
        ("seen ~ 0", "nothing on the right", "~ 1"),
        ("seen ~ (imd", "could not be used", "patsy"),
        ("seen ~ np.log(imd)", "'np.log(imd)' of the design is not a finite number", "above zero"),
        ("np.log(imd) ~ age", "not a finite number in every row", "above zero"),
        ("seen ~ C(month, levels=[4, 5])", "no coefficient", "'4' and '5'"),
        ("seen ~ elsewhere", "not a column of the data but a variable", "data['elsewhere']"),
        ("region ~ imd", "'region' is not a number", "data['region'] == 'West'"),
        (None, "must be text", "response ~"),
    ],
)
def test_a_formula_that_cannot_be_meant_is_refused(formula: Any, problem: str, fix: str) -> None:
    elsewhere = np.arange(ROWS)
    assert len(elsewhere) == ROWS
    with pytest.raises(StatsError) as caught:
        from_formula(formula, world(), family="binomial", groups=["area"], trials="booked")
    assert problem in caught.value.problem and fix in caught.value.fix


def spoilt(column: str, rows: list[int], value: Any) -> pd.DataFrame:
    data = world()
    data[column] = data[column].astype(object if isinstance(value, (str, type(None))) else float)
    data.loc[rows, column] = value
    return data


@pytest.mark.parametrize(
    ("data", "options", "problem", "where"),
    [
        (spoilt("seen", [2, 5], -1), {}, "negative", "row 3: -1, row 6: -1"),
        (spoilt("booked", [4], 1), {}, "larger than booked in 1 row", "row 5: "),
        (spoilt("booked", [4], -1), {}, "negative number of trials", "row 5: -1"),
        (spoilt("seen", [4], np.inf), {}, "not a finite number", "row 5: inf"),
        (spoilt("imd", [4], np.inf), {}, "'imd' of the design is not a finite number in 1 row", "row 5: inf"),
        (spoilt("age", [7], 0), {"family": "poisson", "exposure": "age"}, "above zero", "row 8: 0"),
        (spoilt("age", [7], "n/a"), {}, "'age' looks like numbers that were read as text", "'n/a' among them"),
        (spoilt("booked", [7], "n/a"), {}, "booked holds something that is not a number", "n/a"),
        (world().assign(seen=0), {}, "no successes", "seen"),
        (world().assign(seen=20), {}, "only successes", "seen"),
        (world().assign(seen=0), {"family": "poisson"}, "Every count is zero", "seen"),
        (world().assign(seen=3), {"family": "gaussian"}, "is the same", "seen: 3"),
        (world().assign(area="E"), {}, "'area' has one unit only", "'E'"),
        (world().assign(area=world()["practice"] + "x"), {}, "the same grouping", "40 units"),
        (spoilt("practice", [3, 4], " "), {}, "blank labels", "2 rows, the first is row 4"),
        (spoilt("practice", [3], "A30"), {}, "1 of 40 units lie in more than one", "'A30' lies in area 'Q0' and 'Q3'"),
        (world().head(2), {}, "fewer rows than columns", "2 rows, 3 columns"),
        (world().head(3), {"family": "gaussian"}, "no more rows than columns", "3 rows, 3 columns"),
        (world().head(0), {}, "no rows", "data"),
        ([1, 2], {}, "DataFrame", "list"),
        (pd.concat([world(), world()[["imd"]]], axis=1), {}, "More than one column", "'imd'"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused_with_the_place(
    data: Any, options: dict[str, Any], problem: str, where: str
) -> None:
    error = refusal(data=data, **options)
    assert problem in error.problem and where in error.where


def test_every_fault_of_shares_is_told_at_once() -> None:
    data = spoilt("booked", [4], -1)
    data.loc[[7, 8], "booked"], data.loc[11, "seen"] = 1, -2
    error = refusal(data=data)
    assert error.problem == (
        "seen holds a negative count, and booked holds a negative number of trials, and seen is larger than booked in "
        "2 rows."
    )
    assert "seen, row 12: -2; booked, row 5: -1; row 8: " in error.where
    assert "Check the denominators" in error.fix and "successes and failures together" in error.fix


def test_missing_values_of_all_columns_are_named_at_once() -> None:
    data = world()
    data.loc[[4, 7], "imd"] = np.nan
    data.loc[9, "practice"] = None
    data["seen"] = data["seen"].astype("Int64").mask(data.index == 0)
    data["age"] = data["age"].mask(data.index > 0)
    error = refusal("seen ~ imd", data)
    assert error.where == (
        "seen: 1 row, the first is row 1; imd: 2 rows, the first is row 5; practice: 1 row, the first is row 10"
    )
    with pytest.raises(StatsError) as caught:
        from_matrix(np.ones(ROWS), data[["imd", "age"]], {"practice": data["practice"].to_numpy()}, family="poisson")
    assert caught.value.where.startswith("imd: 2 rows") and "age: 119 rows" in caught.value.where
    assert "practice: 1 row" in caught.value.where


def test_a_label_under_two_parents_comes_with_the_way_to_make_it_unique() -> None:
    data = world()
    data["network"] = [f"U{i % 3}" for i in range(ROWS)]
    error = refusal(data=data, groups=["area", "network"])
    assert "3 of 3 units" in error.problem and "crossed" in error.fix
    cure = "data['network'] = data['area'].astype(str) + ' ' + data['network'].astype(str)"
    assert cure in error.fix
    exec(cure, {"data": data})
    assert len(read(data=data, groups=["area", "network"]).units[1]) == 15


def test_numbers_and_text_among_the_labels_are_refused() -> None:
    data = world()
    data["practice"] = [*range(60), *data["practice"][60:]]
    error = refusal(data=data)
    assert "'int' and 'text'" in error.problem and "astype(str)" in error.fix


def test_numbers_read_as_text_do_not_become_thousands_of_columns() -> None:
    data = world()
    data["size"] = data["list size"].map("{:,}".format)
    error = refusal("seen ~ size", data)
    assert "read as text" in error.problem and "'1,024'" in error.where
    assert "C(size)" in refusal("seen ~ C(size)", data).where
    error = refusal("seen ~ C(Q('list size'))", data)
    assert "119 columns for 120 rows" in error.problem and "groups" in error.fix


def test_one_trial_per_unit_shows_no_spread() -> None:
    data = world().assign(seen=lambda frame: frame["seen"] > 10)
    error = refusal(data=data, trials=None, groups=["area", "observation"])
    assert "one trial" in error.problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"design": np.ones(4)}, "rows by columns"),
        ({"design": np.ones((4, 0))}, "no columns"),
        ({"design": np.ones((3, 1))}, "same number of rows"),
        ({"design": [["a"], ["b"], ["c"], ["d"]]}, "design holds something that is not a number"),
        ({"design": pd.DataFrame(np.ones((4, 2)), columns=["a", "a"])}, "one name"),
        ({"design": np.array([[1.0], [1.0], [np.inf], [1.0]])}, "x1 holds an infinite value"),
        ({"response": []}, "same number of rows"),
        ({"response": [[1.0, 2.0], [3.0, 4.0], [1.0, 1.0], [0.0, 1.0]]}, "one column"),
        ({"groups": [0, 0, 1, 1]}, "groups must be a DataFrame"),
        ({"groups": {"unit": None}}, "no labels"),
        ({"groups": {"unit": np.zeros((4, 2))}}, "one column"),
        ({"exposure": [1.0, 2.0, 0.0, 1.0]}, "exposure must be above zero"),
        ({"offset": [1.0, 2.0, np.inf, 1.0]}, "offset holds an infinite value"),
    ],
)
def test_ready_columns_that_do_not_fit_together_are_refused(change: dict[str, Any], problem: str) -> None:
    given: dict[str, Any] = {"response": [1, 2, 3, 4], "design": np.ones((4, 1)), "groups": {"unit": [0, 0, 1, 1]}}
    given |= change
    with pytest.raises(StatsError) as caught:
        from_matrix(given.pop("response"), given.pop("design"), given.pop("groups"), family="poisson", **given)
    assert problem in caught.value.problem and caught.value.where and caught.value.fix


def aligned(**change: Any) -> dict[str, Any]:
    index = pd.Index(["a", "b", "c", "d"])
    return {
        "response": pd.Series([1, 2, 3, 4], index),
        "design": pd.DataFrame({"one": 1.0}, index),
        "groups": pd.DataFrame({"unit": [0, 0, 1, 1]}, index),
        "exposure": pd.Series([1.0, 2.0, 1.0, 2.0], index),
    } | change


@pytest.mark.parametrize(
    ("change", "who", "where"),
    [
        ({"response": pd.Series([4, 3, 2, 1], ["d", "c", "b", "a"])}, "response and design", "'d' in response, 'a' in"),
        ({"exposure": pd.Series([1.0, 1.0, 1.0, 1.0])}, "response and exposure", "'a' in response, 0 in exposure"),
        ({"groups": {"unit": pd.Series([0, 0, 1, 1], ["a", "b", "d", "c"])}}, "response and unit", "row 3"),
        ({"groups": pd.DataFrame({"unit": [0, 0, 1, 1]})}, "response and groups", "row 1"),
    ],
)
def test_tables_that_pandas_would_put_together_otherwise_are_refused(
    change: dict[str, Any], who: str, where: str
) -> None:
    with pytest.raises(StatsError) as caught:
        from_matrix(**aligned(**change), family="poisson")
    assert who in caught.value.problem and "different indexes" in caught.value.problem
    assert where in caught.value.where
    assert ".reset_index(drop=True)" in caught.value.fix and ".to_numpy()" in caught.value.fix


def test_tables_of_one_index_and_arrays_without_any_go_together() -> None:
    plain = from_matrix(**aligned(), family="poisson")
    mixed = from_matrix(**aligned(response=[1, 2, 3, 4], groups={"unit": [0, 0, 1, 1]}), family="poisson")
    np.testing.assert_array_equal(plain.response, mixed.response)
    np.testing.assert_array_equal(plain.codes[0], mixed.codes[0])


def test_new_data_are_refused_by_name() -> None:
    reader = read("seen ~ region + imd", family="poisson", exposure="list size").reader
    data = world()
    with pytest.raises(StatsError, match="no column 'imd'"):
        reader.design(data.drop(columns="imd"))
    with pytest.raises(StatsError, match="imd: 1 row, the first is row 2"):
        reader.design(data.assign(imd=data["imd"].mask(data.index == 1)))
    with pytest.raises(StatsError, match="row 1: 'Isles'"):
        reader.design(data.assign(region="Isles"))
    with pytest.raises(StatsError, match="no column 'list size'"):
        reader.offset(data.drop(columns="list size"))


# What is noted


def test_a_plain_model_has_no_notes() -> None:
    assert read().notes == ()


def test_rows_without_trials_are_left_out_and_counted() -> None:
    data = world()
    gone = data["practice"].isin(["A00", "A07"])
    data.loc[gone, ["seen", "booked"]] = 0
    found = read(data=data)
    assert found.notes == ("Left out for want of any trials: 6 rows.",)
    np.testing.assert_array_equal(found.rows, np.flatnonzero(~gone))
    assert found.n_given == ROWS and len(found.units[1]) == 40
    assert not set(found.codes[1]) & {0, 7} and found.parents[1][7] == 0


def test_counts_that_are_not_whole_are_taken_with_a_note() -> None:
    found = read(data=world().assign(seen=lambda frame: frame["seen"] + 0.5 * (frame.index == 3)))
    assert len(found.notes) == 1 and found.notes[0].startswith("seen is not a whole number in 1 of 120 rows (row 4: ")


@pytest.mark.parametrize(("family", "trials"), [("binomial", None), ("poisson", None)])
def test_few_events_bring_the_advice_to_compare_with_quadrature(family: str, trials: str | None) -> None:
    data = world().assign(seen=lambda frame: (frame["seen"] > 10).astype(int))
    (note,) = read(data=data, family=family, trials=trials).notes
    assert "'practice'" in note and "n_quadrature=9" in note and "groups=['practice'] alone" in note
    assert read(data=data, family=family, trials=trials, groups="practice", n_quadrature=9).notes == ()
    assert read(data=data, family=family, trials=trials, groups=["area"]).notes == ()


def test_small_counts_are_those_of_the_rarer_outcome_of_the_finest_units() -> None:
    data = world().assign(booked=40, seen=39)
    data.loc[::3, "seen"] = 38
    (note,) = read(data=data, groups=["area", "practice", "observation"]).notes
    assert "have 4 events (or non-events, where these are fewer)" in note


def test_levels_of_few_units_are_noted() -> None:
    (note,) = read(groups=["region"]).notes
    assert "'region' has 3 units" in note


def test_two_kinds_of_spread_for_one_row_are_noted() -> None:
    (note,) = read(family="negative_binomial", groups=["area", "observation"]).notes
    assert "told apart only by the shape" in note


def test_a_collinear_column_is_named_with_what_it_is_made_of() -> None:
    data = world().assign(sum=lambda frame: frame["imd"] - 3 * frame["age"], same=2.5, none=0.0)
    found = read("seen ~ imd + age + sum + same + none", data)
    np.testing.assert_array_equal(found.kept, [True, True, True, False, False, False])
    assert found.design.shape == (ROWS, 3) and found.columns[3:] == ("sum", "same", "none")
    assert found.notes == (
        "Column 'sum' is a combination of 'imd' and 'age', and has no estimate of its own.",
        "Column 'same' is the same in every row (to 7 digits), and has no estimate of its own.",
        "Column 'none' is zero in every row, and has no estimate of its own.",
    )


def test_columns_on_very_different_scales_are_not_taken_for_collinear() -> None:
    data = world().assign(year=lambda frame: 2025 + 0.25 * frame["month"], tiny=lambda frame: 1e-12 * frame["age"])
    assert read("seen ~ year + tiny + imd", data).kept.all()


def test_a_combination_of_small_numbers_beside_large_ones_is_found_again() -> None:
    rng = np.random.default_rng(1)
    large, small = 1e8 * rng.normal(size=ROWS), 1e-8 * rng.normal(size=ROWS)
    found = read("seen ~ large + small + more", world().assign(large=large, small=small, more=3 * small))
    np.testing.assert_array_equal(found.kept, [True, True, True, False])
    np.testing.assert_allclose(found.aliases[:, 0], [0.0, 0.0, 3.0], rtol=1e-12)


# Separation


def edge_rows(signed: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Rows that some direction moves, found one by one: the definition itself as a linear program."""
    found = np.zeros(len(signed), dtype=bool)
    for row in range(len(signed)):
        solved = linprog(
            np.zeros(signed.shape[1]),
            A_ub=np.vstack([-signed, -signed[row]]),
            b_ub=np.append(np.zeros(len(signed)), -1.0),
            A_eq=held if len(held) else None,
            b_eq=np.zeros(len(held)) if len(held) else None,
            bounds=(None, None),
        )
        found[row] = solved.status == 0
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 24), st.integers(1, 4), st.sampled_from(["dummies", "scores", "numbers"]))
def test_separated_rows_are_exactly_those_that_the_definition_finds(seed: int, rows: int, p: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    design = {
        "dummies": rng.integers(0, 2, (rows, p)),
        "scores": rng.integers(-3, 4, (rows, p)),
        "numbers": rng.normal(size=(rows, p)),
    }[kind].astype(float)
    design[:, 0] = 1.0
    design = design[:, _separation.independent_columns(design)[0]]
    outcome = rng.integers(0, 3, rows)
    if seed % 2:
        outcome = np.where(design @ rng.normal(size=design.shape[1]) > 0.3, 2, outcome)
    low, high = outcome == 0, outcome == 2
    wanted = np.zeros(rows, dtype=bool)
    signed = (design * np.where(high, 1.0, -1.0)[:, None])[low | high]
    if len(signed):
        wanted[low | high] = edge_rows(signed, design[~(low | high)])
    np.testing.assert_array_equal(_separation.separated_rows(design, low, high), wanted)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 12), st.integers(1, 6))
def test_the_columns_kept_are_those_that_add_to_the_rank(seed: int, rows: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    design = rng.integers(-1, 2, (rows, p)).astype(float) * 10.0 ** rng.integers(-4, 5, p)
    kept, made_of = _separation.independent_columns(design)
    length = np.where(design.any(axis=0), np.linalg.norm(design, axis=0), 1.0)
    unit = design / length
    ranks = [np.linalg.matrix_rank(unit[:, : j + 1], tol=1e-6) if unit[:, : j + 1].any() else 0 for j in range(p)]
    np.testing.assert_array_equal(kept, np.diff([0, *ranks]) > 0)
    np.testing.assert_allclose(design @ made_of / length, unit, atol=1e-6)


@pytest.mark.parametrize("rows", [30_000])
def test_separation_is_found_among_many_rows(rows: int) -> None:
    rng = np.random.default_rng(4)
    design = np.column_stack([np.ones(rows), rng.normal(size=(rows, 6)), np.arange(rows) % 7 == 0])
    seen = rng.random(rows) < 0.1
    none = np.zeros(rows, dtype=bool)
    assert not _separation.separated_rows(design, ~seen, seen).any()
    assert not _separation.separated_rows(design, ~seen, none).any()
    marked = design[:, 7] == 1.0
    np.testing.assert_array_equal(_separation.separated_rows(design, ~(seen & ~marked), seen & ~marked), marked)
    np.testing.assert_array_equal(_separation.separated_rows(design, ~(seen & ~marked), none), marked)
    assert _separation.separated_rows(design, design[:, 1] < 0, design[:, 1] >= 0).all()


@pytest.mark.reference
def test_the_separated_column_of_the_reference_case_is_left_out_with_its_rows() -> None:
    frame = pd.read_csv(reference("edge_separation_bin.csv"), dtype={"practice": str})
    frame["trials"] = frame["num"] + frame["bad"]
    found = from_formula("num ~ x + grp", frame, family="binomial", groups=["practice"], trials="trials")
    assert found.columns == ("Intercept", "grp[T.B]", "x")
    np.testing.assert_array_equal(found.kept, [True, False, True])
    np.testing.assert_array_equal(found.rows, np.flatnonzero(frame["grp"] == "A"))
    assert found.design.shape[1] == 2 and len(found.units[0]) == frame["practice"].nunique()
    assert found.notes[0].startswith("Column 'grp[T.B]' separates the outcomes: of the 8 rows told apart none has")


@pytest.mark.parametrize(("family", "outcome"), [("binomial", 0), ("binomial", 20), ("poisson", 0)])
def test_a_category_with_one_outcome_only_is_left_out(family: str, outcome: int) -> None:
    data = world()
    data["region"] = pd.Categorical(data["region"], categories=["West", "South", "North"])
    data.loc[data["region"] == "North", "seen"] = outcome
    found = read("seen ~ imd + region", data, family=family)
    assert dict(zip(found.columns, found.kept, strict=True)) == {
        "Intercept": True,
        "region[T.South]": True,
        "region[T.North]": False,
        "imd": True,
    }
    np.testing.assert_array_equal(found.rows, np.flatnonzero(data["region"] != "North"))
    (note,) = found.notes
    assert ("none has an event" if outcome == 0 else "all have events only") in note


def test_a_reference_category_with_one_outcome_says_what_the_other_estimates_mean() -> None:
    data = world()
    data.loc[data["region"] == "North", "seen"] = 0
    found = read("seen ~ region + imd", data)
    assert found.design.shape[1] == 3
    assert "'Intercept', 'region[T.S" in found.notes[0] and "together separate" in found.notes[0]
    assert "'region[T.West]' has no estimate" in found.notes[1]
    assert "'Intercept' and 'region[T.South]' describes only the rows that are left" in found.notes[1]


def test_outcomes_told_exactly_by_a_column_are_refused() -> None:
    data = world().assign(seen=lambda frame: np.where(frame["imd"] > 0.1, 20, 0))
    error = refusal("seen ~ imd", data)
    assert "tell every outcome exactly" in error.problem and "'imd'" in error.where


def test_a_share_without_its_denominator_is_refused() -> None:
    data = world().assign(share=0.4)
    data.loc[data.index[0], "share"] = 1.0
    error = refusal(formula="share ~ 1", data=data, family="binomial", trials=None)
    assert "must be 0 or 1" in error.problem and "row 2: 0.4" in error.where and "give the counts" in error.fix
