"""benchmarks/accuracy.py: the measures are those of sopnb.accuracy, and a run on made-up series writes what it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from sopnb import accuracy as measures
from sopnb import frames

FILE = Path(__file__).parent.parent / "benchmarks" / "accuracy.py"
PRINTED = ["sMAPE", "MASE", "OWA", "RMSSE", "bias", "80", "95", "MSIS95", "s/1000"]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_accuracy", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def series(count: int = 12, months: int = 40, horizon: int = 4) -> pd.DataFrame:
    """Short series with a season that end in different months; every fourth sells now and then."""
    rng = np.random.default_rng(3)
    pieces = []
    for i in range(count):
        n = months + i % 3
        y = (100 + 10 * i) * (1 + 0.3 * np.sin(2 * np.pi * np.arange(n) / 12)) + rng.normal(0, 5, n)
        y = np.where(rng.random(n) < 0.4, np.round(y), 0.0) if i % 4 == 3 else y
        pieces.append(pd.DataFrame({
            "unique_id": f"T{i:02d}", "ds": pd.date_range(f"2020-{1 + i % 5:02d}-28", periods=n, freq="MS"), "y": y,
            "split": ["train"] * (n - horizon) + ["test"] * horizon,
        }))  # fmt: skip
    return pd.concat(pieces, ignore_index=True).sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def ran(benchmark, tmp_path_factory) -> tuple[str, pd.DataFrame, pd.DataFrame]:
    """What a run printed, what it was given and what it wrote."""
    folder = tmp_path_factory.mktemp("benchmark")
    given = series()
    given.to_parquet(folder / "series.parquet")
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda *words: said.append(" ".join(map(str, words))))
        benchmark.main(["--data", str(folder / "series.parquet"), "--horizon", "4", "--quick", "--workers", "2", "--out", str(folder / "out.parquet")])
    return "\n".join(said), given.sort_values(["unique_id", "ds"]), pd.read_parquet(folder / "out.parquet")


def test_a_run_writes_exactly_the_test_months_with_ordered_bands(ran):
    _, given, out = ran
    assert list(out.columns) == ["unique_id", "ds", "y_hat", "lo-80", "hi-80", "lo-95", "hi-95"]
    test = given[given["split"] == "test"].reset_index(drop=True)
    assert out["unique_id"].tolist() == test["unique_id"].tolist()
    assert (out["ds"].dt.to_period("M") == test["ds"].dt.to_period("M")).all(), "although series end in different months"
    values = out[["lo-95", "lo-80", "y_hat", "hi-80", "hi-95"]].to_numpy()
    assert np.isfinite(values).all() and (values >= 0).all() and (np.diff(values, axis=1) >= 0).all()
    regular = ~out["unique_id"].isin(["T03", "T07", "T11"])
    assert measures.wape(out.loc[regular, "y_hat"], test.loc[regular, "y"]) < 0.1, "each series' forecast stands beside its own months"


def test_a_run_prints_its_measures_and_that_two_processes_say_the_same(ran):
    said, given, out = ran
    lines = said.splitlines()
    assert "12 series, 4 months ahead; Naive2: sMAPE " in lines[0]
    assert lines[1].split() == PRINTED
    assert any(line.startswith("chosen: ") for line in lines)
    assert "equal to the bit" in lines[-1] and "NOT" not in lines[-1]
    shown = dict(zip(PRINTED, map(float, lines[2].split()[1:]), strict=True))
    test, train = (given[given["split"] == part].groupby("unique_id")["y"] for part in ("test", "train"))
    own = {name: rows for name, rows in out.groupby("unique_id")}
    past = dict(iter(train))
    by_hand = {
        "sMAPE": 100 * np.mean([measures.smape(own[name]["y_hat"], y) for name, y in test]),
        "MASE": np.mean([measures.mase(own[name]["y_hat"], y, past[name]) for name, y in test]),
        "RMSSE": np.mean([measures.rmsse(own[name]["y_hat"], y, past[name]) for name, y in test]),
        "bias": out["y_hat"].sum() / given.loc[given["split"] == "test", "y"].sum() - 1,
        "80": np.mean([measures.coverage(y, own[name]["lo-80"], own[name]["hi-80"]) for name, y in test]),
        "95": np.mean([measures.coverage(y, own[name]["lo-95"], own[name]["hi-95"]) for name, y in test]),
        "MSIS95": np.mean([measures.msis(y, own[name]["lo-95"], own[name]["hi-95"], past[name]) for name, y in test]),
    }
    for name, value in by_hand.items():
        assert shown[name] == pytest.approx(value, abs=1e-4), name


def test_measures_by_pencil(benchmark):
    """Forecast 12, 15 where 14, 12 came: MASE 0.8333, as in sopnb.accuracy; sMAPE 100 · (2·2/26 + 2·3/27) / 2. The band 8 … 16, 8 … 20 holds
    the first; the second, 22, lies 2 above: (8 + 12 + 40 · 2) / 2 / 3 = 16.67."""
    table = pd.DataFrame({"y_hat": [12.0, 15], "lo-80": [0.0, 0], "hi-80": [13.0, 30], "lo-95": [8.0, 8], "hi-95": [16.0, 20]})
    past = [np.array([10.0, 12, 9, 13])]
    found = benchmark.measures(table, np.array([[14.0, 12]]), past, 1, (10.0, 0.5))
    assert found["MASE"] == pytest.approx(measures.mase([12, 15], [14, 12], past[0], season=1)) == pytest.approx(5 / 6)
    assert found["sMAPE"] == pytest.approx(100 * measures.smape([12, 15], [14, 12])) == pytest.approx(100 * (4 / 26 + 6 / 27) / 2)
    assert found["OWA"] == pytest.approx((found["sMAPE"] / 10 + found["MASE"] / 0.5) / 2)
    assert found["RMSSE"] == pytest.approx(measures.rmsse([12, 15], [14, 12], past[0])) == pytest.approx(np.sqrt(6.5 / (29 / 3)))
    assert found["bias"] == pytest.approx(27 / 26 - 1)
    assert (found["80"], found["95"]) == (0.5, 1.0)
    beyond = benchmark.measures(table, np.array([[10.0, 22]]), past, 1, (10.0, 0.5))
    assert beyond["MSIS95"] == pytest.approx(measures.msis([10, 22], [8, 8], [16, 20], past[0], season=1)) == pytest.approx(100 / 2 / 3)


def test_a_constant_past_has_no_scale_and_is_left_out_of_the_scaled_measures(benchmark):
    table = pd.DataFrame({"y_hat": [12.0, 15, 7, 7]})
    past = [np.array([10.0, 12, 9, 13]), np.full(4, 7.0)]
    found = benchmark.measures(table, np.array([[14.0, 12], [9, 9]]), past, 1, (10.0, 0.5))
    assert found["MASE"] == pytest.approx(5 / 6)


def test_naive2_by_pencil(benchmark):
    """A season of two, 20 and 10 above and below a level of 15, four times over: indices 4/3 and 2/3. The last month, 10, is 15 without its
    season; ahead lie 20 and 10. Without a season, with one nobody has seen three times, or with a zero: the last month."""
    assert benchmark.naive2(np.array([20.0, 10] * 8), 3, 2) == pytest.approx([20, 10, 20])
    assert benchmark.naive2(np.array([20.0, 10] * 8 + [20.0]), 3, 2) == pytest.approx([10, 20, 10])
    assert benchmark.naive2(np.array([5.0, 5, 5, 5, 5, 5, 5, 7]), 2, 2).tolist() == [7, 7]
    assert benchmark.naive2(np.array([20.0, 10, 20, 10]), 2, 2).tolist() == [10, 10]
    assert benchmark.naive2(np.array([20.0, 0] * 8), 2, 2).tolist() == [0, 0]
    assert benchmark.naive2(np.arange(1.0, 9), 2, 1).tolist() == [8, 8]


def test_naive2_of_an_odd_season_and_of_growth(benchmark):
    """Of 1 : 2 : 3 on a level of 2 the indices are ½, 1, 3/2. Ten percent of growth a year hardly moves those of twelve months."""
    assert benchmark.naive2(np.array([10.0, 20, 30] * 5), 4, 3) == pytest.approx([10, 20, 30, 10])
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(12) / 12)
    y = 100 * 1.1 ** (np.arange(60) / 12) * np.tile(season, 5)
    assert benchmark.naive2(y, 12, 12) == pytest.approx(y[-1] / season[-1] * season, rel=0.02)


@pytest.mark.parametrize(("horizon", "said"), [("5", "series T00 has 4 test months, --horizon says 5"), ("3", "series T00 has 4 test months, --horizon says 3")])
def test_a_wrong_horizon_is_named(benchmark, tmp_path, horizon, said):
    series(2).to_parquet(tmp_path / "s.parquet")
    with pytest.raises(SystemExit, match=said):
        benchmark.main(["--data", str(tmp_path / "s.parquet"), "--horizon", horizon, "--quick"])


def test_a_series_without_test_months_is_named(benchmark, tmp_path):
    df = series(2)
    df[(df["unique_id"] == "T00") | (df["split"] == "train")].to_parquet(tmp_path / "s.parquet")
    with pytest.raises(SystemExit, match="series T01 has 0 test months, --horizon says 4"):
        benchmark.main(["--data", str(tmp_path / "s.parquet"), "--horizon", "4", "--quick"])


@pytest.mark.parametrize(("spacing", "season"), [("QS", 4), ("W", 12)])
def test_quarters_and_weeks_are_neighbours_as_months_are(benchmark, spacing, season):
    """The same numbers, dated otherwise, get the same forecast; a month left out stays a hole."""
    df = series(3).sort_values(["unique_id", "ds"]).query("split == 'train'").reset_index(drop=True)
    other = df.assign(ds=df.groupby("unique_id")["ds"].transform(lambda ds: pd.date_range("1980-01-01", periods=len(ds), freq=spacing)))
    pd.testing.assert_frame_equal(benchmark.company(other, 4, season, 1), benchmark.company(df, 4, season, 1))
    holed = df.drop(index=5)
    assert benchmark._as_history(holed)[0].groupby("item")["month"].min().tolist() == benchmark._as_history(df)[0].groupby("item")["month"].min().tolist()


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda df: df[(df["unique_id"] != "T01") | (df["split"] == "test")], "1 series have test months and nothing to learn from, T01 for one"),
    (lambda df: pd.concat([df, df.iloc[:1]]), "series T0. has 20..-..-.. twice"),
])  # fmt: skip
def test_a_file_that_cannot_be_scored_is_refused(benchmark, tmp_path, spoil, said):
    spoil(series(2)).to_parquet(tmp_path / "s.parquet")
    with pytest.raises(SystemExit, match=said):
        benchmark.main(["--data", str(tmp_path / "s.parquet"), "--horizon", "4", "--quick"])


def test_forecasts_do_not_know_the_test_months(benchmark):
    df = series(3).sort_values(["unique_id", "ds"])
    train = df[df["split"] == "train"].reset_index(drop=True)
    assert benchmark.company(train, 4, 12, 1)["step"].tolist() == [0, 1, 2, 3] * 3
    history, items = benchmark._as_history(train)
    assert len(history) == len(train) and history["month"].max() == history.groupby("item")["month"].max().min(), "all end together"
    assert (items["family"] == items["item"]).all()


def test_the_models_that_people_know_forecast_the_same_months_with_bands_where_they_have_them(benchmark):
    months = frames.months("2020-01", 36)
    train = pd.DataFrame({"unique_id": np.repeat(["A", "B"], 36), "ds": np.tile(months.to_numpy(), 2),
                          "y": np.r_[100 + np.arange(36.0), 50 + 10 * np.sin(np.arange(36) / 12 * 2 * np.pi)]})  # fmt: skip
    found, seconds = benchmark.others(train, 3, 12)
    assert set(found) == {*benchmark.OTHERS, "Mean of the three", "Median of the three"} and set(seconds) == set(found)
    for name, table in found.items():
        assert len(table) == 6 and table["y_hat"].notna().all(), name
        assert ("hi-95" in table) == (name in ("SeasonalNaive", "AutoETS", "AutoTheta")), name
