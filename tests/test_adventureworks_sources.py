"""AdventureWorks by SQL over its CSV tables: totals agree with the source to the cent, and each cycle sees its own past."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sopnb import checks, cycle, demand, frames, sources

pytestmark = pytest.mark.adventureworks
CYCLES = ["2024-12", "2025-02", "2025-04"]  # the first, one between, and the last but one; May 2025 is tested throughout
MAY = "2025-05"


@pytest.fixture(scope="module")
def settings(project: Path, adventureworks: Path) -> dict:
    """The params file's own settings, over the folder beside the project."""
    c = cycle.open(str(project / "params" / "adventureworks.yaml"), MAY)
    return c.sources()


@pytest.fixture(scope="module")
def may(settings: dict) -> sources.Collected:
    return sources.collect(settings, cut_off=frames.month(MAY))


@pytest.fixture(scope="module")
def sold(adventureworks: Path) -> pd.DataFrame:
    """The source read by other means: order lines with their day and product number."""
    detail, header = pd.read_csv(adventureworks / "SalesOrderDetail.csv.gz"), pd.read_csv(adventureworks / "SalesOrderHeader.csv.gz", parse_dates=["OrderDate"])
    products = pd.read_csv(adventureworks / "Product.csv")
    return detail.merge(header[["SalesOrderID", "OrderDate"]], on="SalesOrderID").merge(products[["ProductID", "ProductNumber"]], on="ProductID")


def test_nothing_is_wrong_before_the_run(settings):
    assert sources.check(settings, cut_off=frames.month(MAY)) == []


def test_units_and_revenue_agree_with_the_source_to_the_cent(may, sold):
    """121,317 lines of 109,846,381.40 in all; through April 2025 what the source itself adds up to."""
    assert may.total("orders", "received")["rows"] == 121_317
    assert round(may.total("orders", "received")["amount"], 2) == 109_846_381.40
    known = sold[sold["OrderDate"] < frames.month(MAY)]
    orders = may.tables["orders"]
    assert (len(orders), orders["quantity"].sum()) == (len(known), known["OrderQty"].sum())
    assert round(orders["amount"].sum(), 2) == round(known["LineTotal"].sum(), 2)
    history = demand.history(orders, may.tables["items"], may.tables["stock_history"], last="2025-04")
    assert history["demand_raw"].sum() == known["OrderQty"].sum()
    assert round(history["revenue"].sum(), 2) == round(known["LineTotal"].sum(), 2)


def test_rows_reconcile_in_every_source(may):
    assert checks.totals_agree(may.totals)
    assert may.freshness["set_aside"].sum() == 0
    assert may.freshness.set_index("source").loc["orders", ["rows", "left_out"]].tolist() == [121_317, 7_630]


def test_stock_agrees_with_the_count_for_the_items_sold(may, sold, adventureworks):
    count = pd.read_csv(adventureworks / "ProductInventory.csv")
    assert may.tables["stock"]["on_hand"].sum() == count.loc[count["ProductID"].isin(sold["ProductID"]), "Quantity"].sum() == 70_916
    assert may.notes.set_index("source").loc["stock", ["rule", "severity"]].tolist() == ["findings.stock_newer", "amber"]


def test_the_item_master_holds_the_266_products_sold(may):
    items = may.tables["items"]
    assert len(items) == 266
    assert items[["family", "category", "unit_cost", "unit_price", "lead_time_days", "make_or_buy"]].notna().all(axis=None)
    handed_over = items.dropna(subset=["successor"]).set_index("item")["successor"]
    assert len(handed_over) == handed_over.nunique() == 11 and handed_over["BK-R93R-44"] == "BK-R89R-44"


def test_quotas_by_month_add_up_to_the_quarters(may, adventureworks):
    quarters = pd.read_csv(adventureworks / "SalesPersonQuotaHistory.csv")
    assert may.tables["quotas"]["quota"].sum() == pytest.approx(quarters["SalesQuota"].sum(), abs=0.005)
    assert may.tables["quotas"]["month"].max() == frames.month("2025-04")


def test_open_purchase_orders_are_those_ordered_before_and_due_after_the_cut_off(may, adventureworks):
    line, header = pd.read_csv(adventureworks / "PurchaseOrderDetail.csv.gz"), pd.read_csv(adventureworks / "PurchaseOrderHeader.csv.gz")
    products = pd.read_csv(adventureworks / "Product.csv").set_index("ProductID")["ProductNumber"]
    both = line.merge(header[["PurchaseOrderID", "OrderDate", "Status"]], on="PurchaseOrderID")
    both = both[(both["Status"] != 3) & (both["OrderDate"] < "2025-05-01") & (both["DueDate"] >= "2025-05-01") & both["ProductID"].map(products).isin(may.tables["items"]["item"])]
    assert may.tables["receipts"]["quantity"].sum() == both["OrderQty"].sum()


def test_prices_net_of_discount_give_the_revenue_of_the_last_year(may):
    """List price alone would overstate what resellers pay."""
    year = may.tables["orders"].query("order_date >= '2024-05-01'")
    prices = may.tables["prices"][lambda d: d["month"] == frames.month("2025-04")].set_index("item")
    net = year["quantity"] * year["item"].map(prices["price"] * (1 - prices["discount"]))
    sold_still = net.notna()
    assert net.sum() == pytest.approx(year.loc[sold_still, "amount"].sum(), rel=0.001)
    assert sold_still.mean() > 0.9


@pytest.mark.parametrize("name", CYCLES)
def test_each_cycle_sees_only_what_was_known_then(settings, sold, name):
    cut_off = frames.month(name)
    ours = {source: settings[source] for source in ("orders", "items", "purchases", "receipts", "quotas", "events")}
    assert sources.check({"orders": ours["orders"], "items": ours["items"]}, cut_off=cut_off) == []
    done = sources.collect(ours, cut_off=cut_off)
    known = sold[sold["OrderDate"] < cut_off]
    assert done.tables["orders"]["quantity"].sum() == known["OrderQty"].sum()
    assert round(done.tables["orders"]["amount"].sum(), 2) == round(known["LineTotal"].sum(), 2)
    assert done.tables["orders"]["order_date"].max() < cut_off and done.tables["purchases"]["ordered"].max() < cut_off
    assert not (done.tables["orders"]["shipped_date"] >= cut_off).any()
    assert done.tables["receipts"]["due_date"].min() >= cut_off
    assert done.total("orders", "left out")["rows"] == len(sold) - len(known)
