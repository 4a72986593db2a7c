"""A cycle's tables as the sheets of its workbook: sentences instead of message ids, names beside codes, headings with units.

Each sheet names its table and the columns it begins with; columns that nobody named follow, so that nothing is lost. JSON
that a sentence was made from is left out: the sentence holds it. Headings, sheet names and words for codes stand in
sopnb/messages/workbook.yaml; the meaning of a column is that of its frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sopnb import frames, words, workbook_words
from sopnb.formats import WHOLE
from sopnb.style import LIGHT
from sopnb.workbook import Column, Front, Sheet

ROWS = 200_000  # a sheet longer than this is no use to a person; the Parquet table has all rows
CELLS = 4_000_000  # of all sheets: more takes minutes to write and to open, and does not go by mail
TABS = {"meeting": LIGHT["over-t"], "demand": LIGHT["plan"], "supply": LIGHT["ok"], "data": LIGHT["base-t"]}  # colours of the tabs


@dataclass(frozen=True)
class Spec:
    """One sheet: its id in the messages, its table, what it begins with, and the column that holds a message id."""

    id: str
    table: str
    tab: str
    columns: str
    said: str = ""
    signed: str = ""
    frozen: int = 1
    worst: str = ""


SPECS = (
    Spec("decisions", "asked", "meeting", "decision said amount overlap by decides recommended kind", said="question", frozen=2),
    Spec("answers", "choices", "meeting", "decision option said recommended keeps gains costs net service stock people nothing why", said="title", signed="net stock people", frozen=3),
    Spec("actions", "actions", "meeting", "action title owner due state overdue_days amount made_on closed_on source cycle age_days", frozen=2),
    Spec("assumptions", "assumptions", "meeting", "assumption text if_not amount owner state due made_on judged_on note", frozen=2),
    Spec("kpis", "kpis", "meeting", "kpi scope month value target low status version numerator denominator"),
    Spec("by_month", "plan", "demand", "", frozen=3),
    Spec("plan", "plan", "demand", "item location month consensus revenue margin price baseline events pipeline leads sales override",
         signed="events pipeline leads sales override", frozen=2),
    Spec("overrides", "overrides_used", "demand", "override level key location month kind value units amount state reason owner made_on expires noise note", signed="units amount value"),
    Spec("value_added", "value_added_by", "demand", "scope key stream skill wape added low high units amount demand months n hits lag", signed="added low high units amount"),
    Spec("exceptions", "exceptions", "supply", "kind said amount units first last item location resource overlap group id", said="because", worst="amount"),
    Spec("options", "options", "supply", "exception option said recommended keeps gains costs net service", said="title", signed="net", frozen=3),
    Spec("supply", "proposed", "supply", "order item location release due quantity amount message rule serves"),
    Spec("shipments", "shipments", "supply", "order item location source_location release due quantity amount message rule serves"),
    Spec("messages", "messages", "supply", "order item location kind message due needed months quantity needed_quantity amount", signed="months"),
    Spec("stock", "projection", "supply", "item location month opening receipts proposed demand closing safety_stock cover", frozen=2),
    Spec("policy", "policy", "supply", "item location service_class service_target measure safety_stock erp_safety_stock difference", frozen=2, signed="difference reorder_difference order_difference"),
    Spec("load", "load", "supply", "resource month hours available ratio overload overtime overload_amount cost"),
    Spec("deliverable", "deliverable", "supply", "family month plan revenue margin stock_gap hours_gap sales_gap late budget plan_units units"),
    Spec("hiring", "hiring", "supply", "month reps target capacity gap hires hired naive_reps", signed="gap"),
    Spec("sheet", "sheet", "supply", "family measure month plan actual difference amount_plan amount_actual amount_difference", signed="difference amount_difference"),
    Spec("set_aside", "set_aside", "data", "said file row source column value amount severity id", said="rule"),
    Spec("findings", "findings", "data", "said severity source column rows of_rows amount share first id", said="rule"),
)
# Where the frame's words do not tell how a column is counted.
COUNTED = {("choices", "people"): "hours", ("choices", "service"): "percent", ("options", "service"): "percent", ("value_added_by", "low"): "percent",
           ("value_added_by", "high"): "percent", ("projection", "cover"): "hours", ("load", "ratio"): "percent", ("findings", "share"): "percent"}
BY_ROW = {"kpis": ("value", "target", "low"), "overrides_used": ("value",)}  # columns whose rows are not counted alike
PEOPLE = {"owner", "decides"}
SERIES = ["item", "location"]
# Codes that are good or bad news: their words are in the colour of it.
TONES = {"status": {"on": "good", "watch": "watch", "off": "bad"}, "severity": {"amber": "watch", "red": "bad"}, "skill": {"helps": "good", "hurts": "bad"},
         "state": {"done": "good", "held": "good", "failed": "bad", "conflict": "bad", "unknown": "bad"}}
JSON = {"values", "reason_values"}
LONG = {"said", "why", "title", "text", "if_not", "note", "value"}


@dataclass(frozen=True)
class Names:
    """What codes are called: items, families of items, locations, people; how measures are counted; the currency."""

    items: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)
    currency: str = "USD"


def names(tables: Mapping[str, pd.DataFrame], *, locations: Mapping[str, str], measures: Mapping[str, str], currency: str) -> Names:
    """Names of items and people as the cycle's tables hold them."""
    return Names(_pairs(tables.get("items"), "item", "name"), _pairs(tables.get("items"), "item", "family"), dict(locations),
                 _pairs(tables.get("people"), "person", "name"), dict(measures), currency)


def _pairs(df: pd.DataFrame | None, code: str, name: str) -> dict[str, str]:
    if df is None or name not in df.columns:
        return {}
    return {str(a): str(b) for a, b in zip(df[code], df[name], strict=True) if isinstance(b, str)}


def sheets(tables: Mapping[str, pd.DataFrame], known: Names) -> dict[str, Sheet]:
    """The sheets of a cycle's workbook, in the language spoken; a table that is absent or has no rows has none.

    tables   the cycle's tables by name, as their frames
    known    what codes are called
    returns  sheet name: Sheet
    """
    made = {}
    most = room(tables)
    for spec in SPECS:
        df = tables.get(spec.table)
        if df is not None and len(df):
            made[said(f"workbook.sheet.{spec.id}")] = by_month(df, known, most=most) if spec.id == "by_month" else sheet(spec, df, known, most=most)
    return made


def room(tables: Mapping[str, pd.DataFrame]) -> int:
    """How many rows a sheet may have: ROWS, fewer where all sheets together would have more than CELLS cells."""
    sizes = [_size(tables[spec.table], spec) for spec in SPECS if spec.table in tables]
    most = ROWS
    while most > 1000 and sum(min(rows, most) * columns for rows, columns in sizes) > CELLS:
        most = most * 4 // 5
    return most


def _size(df: pd.DataFrame, spec: Spec) -> tuple[int, int]:
    """About how many rows and columns a sheet has: a name and a family stand beside a code, and months beside each other."""
    if spec.id != "by_month":
        return len(df), len(frames.TABLES[spec.table].columns) + 2
    months = max(df["month"].nunique(), 1)
    return len(df) // months, months + 7


def sheet(spec: Spec, df: pd.DataFrame, known: Names, *, most: int = ROWS) -> Sheet:
    """One table as a sheet.

    df       rows as the table's frame has them
    most     rows a sheet may have
    returns  Sheet: the columns named by the spec, then the others; of a longer table what `top` keeps, and a line that says so
    """
    kept, cut = top(df, most, spec.table)
    rows = (kept.sort_values(spec.worst, ascending=False, kind="stable") if spec.worst else kept).reset_index(drop=True)
    named = spec.columns.split()
    left = [name for name in rows.columns if name not in named and name not in JSON and name != spec.said and name != "reason"]
    more = ["reason"] if "reason" in rows.columns and "reason" not in named and "why" not in named else []
    columns: list[Column] = []
    values: dict[str, Any] = {}
    for name in [one for one in [*named, *left, *more] if one in rows.columns or one in ("said", "why")]:
        for column, cells in _columns(spec, rows, name, known):
            columns.append(column)
            values[column.name] = cells
            if column.kinds:
                values[column.kinds] = [TONES[name].get(code, "text") for code in rows[name]] if name in TONES else _kinds(rows, known)
    wider = sum(column.name.endswith(("_name", "_family")) for column in columns[:spec.frozen + 1])
    return Sheet(pd.DataFrame(values, index=rows.index), tuple(columns), _about(spec.id, cut), spec.frozen + min(wider, 1), TABS[spec.tab], said(f"workbook.part.{spec.tab}"), cut)


def top(df: pd.DataFrame, most: int, table: str) -> tuple[pd.DataFrame, str]:
    """The rows of a table that its sheet has room for, in the table's order, and the sentence that says what is left out.

    df       rows of one table; with revenue or amount (money) those of most money stay, month by month whole series of them;
             without it the first
    most     rows that fit
    """
    if len(df) <= most:
        return df, ""
    money = next((name for name in ("revenue", "amount") if name in df.columns and df[name].notna().any()), "")
    if not money:
        kept = df.head(most)
    elif set(SERIES) < set(df.columns):
        worth = df.assign(worth=df[money].abs().fillna(0)).groupby(SERIES, observed=True)["worth"].agg(["sum", "size"]).sort_values("sum", ascending=False, kind="stable")
        kept = df[pd.MultiIndex.from_frame(df[SERIES]).isin(worth.index[worth["size"].cumsum() <= most])]
    else:
        kept = df.loc[df[money].abs().sort_values(ascending=False, kind="stable").index[:most].sort_values()]
    values = {"rows": len(kept), "of": len(df), "left": len(df) - len(kept), "table": table}
    return kept, words.message("workbook.cut.money" if money else "workbook.cut", values).text


def _about(sheet_id: str, cut: str) -> str:
    return " ".join(part for part in (said(f"workbook.about.{sheet_id}"), cut) if part)


def _columns(spec: Spec, rows: pd.DataFrame, name: str, known: Names) -> list[tuple[Column, Any]]:
    """A column of the table as one or more of the sheet: a code is followed by its name."""
    if name in ("said", "why"):
        ids, given = (spec.said, "values") if name == "said" else ("reason", "reason_values")
        return [(Column(name, head(spec, name), "wrap"), _sentences(rows, ids, given))]
    if name == "scope":
        return [(_column(spec, name, known), [workbook_words.scope(value, known.locations) for value in rows[name]])]
    if name == "key" and "scope" in rows.columns:
        return [(_column(spec, name, known), workbook_words.keys(rows, known.people))]
    coded = workbook_words.coded(spec.table, name) and rows[name].dtype == object
    out = [(_column(spec, name, known), [workbook_words.word(spec.table, name, value) for value in rows[name]] if coded else rows[name])]
    if name == "key" and known.items:
        out.append((Column("key_name", head(spec, "item_name"), "text"), rows[name].map(known.items)))
    if name == "item" and known.items:
        out.append((Column("item_name", head(spec, "item_name"), "text"), rows[name].map(known.items)))
        if known.families and "family" not in rows.columns:
            out.append((Column("item_family", head(spec, "family"), "text"), rows[name].map(known.families)))
    if name in ("location", "source_location") and known.locations:
        out.append((Column(f"{name}_name", head(spec, f"{name}_name"), "text"), rows[name].map(known.locations)))
    if name in PEOPLE and known.people:
        out = [(Column(f"{name}_name", head(spec, name), "text"), rows[name].map(known.people).fillna(rows[name]))]
    return out


def _column(spec: Spec, name: str, known: Names) -> Column:
    """How a column of a frame is shown: its kind and unit by the frame's own words."""
    about = next((one for one in frames.TABLES[spec.table].columns if one.name == name), frames.Column(name))
    by_row = "kind_of_row" if name in BY_ROW.get(spec.table, ()) else f"tone_of_{name}" if name in TONES else ""
    kind = "wrap" if name in LONG and about.kind == "text" else COUNTED.get((spec.table, name)) or _kind(about, known.currency)
    unit = known.currency if kind in ("money", "price") else said("workbook.unit.hours") if about.unit.startswith("hours") and about.kind == "number" else said("workbook.unit.units") if kind == "units" else ""
    if kind == "price" and known.currency in WHOLE:
        kind = "money"
    note = " ".join(part for part in (_sentence(words.label(about.unit)) if about.unit else "", words.message("workbook.column", {"column": name, "table": spec.table}).text) if part)
    return Column(name, head(spec, name), kind, unit, note, name in spec.signed.split(), by_row)


def _kind(about: frames.Column, currency: str) -> str:
    """What the frame says of a column, as a kind of cell."""
    if about.kind in ("month", "date", "flag", "text"):
        return about.kind
    if about.kind == "integer":
        return "auto"
    unit = about.unit.split(",")[0].split(";")[0]
    first = unit.split(":")[0].split(" ")[0]
    return {"money": "price" if "per" in unit else "money", "units": "units", "fraction": "percent", "points": "percent", "hours": "hours", "months": "hours", "people": "hours"}.get(
        first, "percent" if "/" in unit else "auto")


def _kinds(rows: pd.DataFrame, known: Names) -> list[str]:
    """The kind of each row: of KPIs by what the measure is counted in, of overrides by whether a percentage was given."""
    if "kpi" not in rows.columns:
        return ["percent" if kind == "percent" else "units" for kind in rows["kind"]]
    kinds = {"percent": "percent", "money": "money", "days": "hours"}
    return [kinds.get(known.measures.get(str(kpi), ""), "number") for kpi in rows["kpi"]]


def _sentences(rows: pd.DataFrame, ids: str, given: str) -> list[str | None]:
    """The sentences of message ids and their values; a rule of rows set aside takes the row itself."""
    values = rows[given] if given in rows.columns else [None] * len(rows)
    out = []
    for one, value, row in zip(rows[ids], values, rows.to_dict("records"), strict=True):
        known = isinstance(one, str) and one in words.MESSAGES
        told = words.message(one, {str(k): v for k, v in row.items()} if given not in rows.columns else value).text if known else one
        out.append(workbook_words.capital(told) if isinstance(told, str) else None)
    return out


def by_month(plan: pd.DataFrame, known: Names, *, value: str = "consensus", most: int = ROWS) -> Sheet:
    """The plan as planners read it: a row for each item and place, a column for each month.

    plan     item × location × month   consensus (units), revenue (money)
    most     rows a sheet may have; of more the series of most money stay
    returns  Sheet: family, item, name, location, the months (units), their sum, revenue (money)
    """
    months = sorted(plan["month"].unique())
    wide = plan.pivot_table(index=["item", "location"], columns="month", values=value, aggfunc="sum", sort=True, observed=True)
    sums = plan.groupby(["item", "location"])[["revenue"]].sum(min_count=1)
    rows = pd.DataFrame({"family": wide.index.get_level_values("item").map(known.families) if known.families else None, "item": wide.index.get_level_values("item"),
                         "item_name": wide.index.get_level_values("item").map(known.items) if known.items else None, "location": wide.index.get_level_values("location")})
    rows["location_name"] = rows["location"].map(known.locations) if known.locations else None
    for month in months:
        rows[f"{pd.Timestamp(month):%Y-%m}"] = wide[month].to_numpy()
    rows["sum"] = wide.sum(axis=1).to_numpy()
    rows["revenue"] = sums["revenue"].reindex(wide.index).to_numpy()
    rows, cut = top(rows.sort_values(["family", "item", "location"], kind="stable").reset_index(drop=True), most, "plan")
    rows = rows.reset_index(drop=True)
    first = [Column(name, said(f"workbook.head.{name}"), "text") for name in ("item", "item_name", "location", "location_name", "family") if rows[name].notna().any()]
    units, spec = said("workbook.unit.units"), next(one for one in SPECS if one.id == "plan")
    timed = [Column(f"{pd.Timestamp(month):%Y-%m}", words.show(pd.Timestamp(month), "mon"), "units", units) for month in months]
    ends = [Column("sum", said("workbook.head.sum"), "units", units), _column(spec, "revenue", known)]
    return Sheet(rows, (*first, *timed, *ends), _about("by_month", cut), min(3, len(first)), TABS["demand"], said("workbook.part.demand"), cut)


def head(spec: Spec, name: str) -> str:
    """The heading of a column on a sheet."""
    return workbook_words.head(spec.id, spec.table, name)


def said(message_id: str) -> str:
    return words.message(message_id).text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." * (not text.endswith("."))


def front(company: str, cycle: str, facts: Mapping[str, Any] | None) -> Front:
    """The front sheet: company, month, what the front page says in large, and the headline numbers, typed.

    facts    see `front.facts`; None: only the title
    """
    month = frames.month(cycle)
    title = words.message("workbook.title", {"company": company, "month": month}).text
    heads = (said("workbook.front.sheet"), said("workbook.front.rows"), said("workbook.front.holds"))
    base = Front(said("workbook.front.name"), title, (), (), heads, said("workbook.front.advice"))
    if not facts:
        return base
    return Front(base.name, title, tuple(one.text for one in [facts["headline"], *facts["lead"]]), tuple(_facts(facts)), heads, base.advice)


def _facts(facts: Mapping[str, Any]) -> Sequence[tuple[str, Any, str]]:
    """Label, value and kind of each line of the front sheet; what this cycle has not is left out."""
    header, totals, exceptions = facts["header"], facts["totals"], facts["exceptions"]
    lines: list[tuple[str, Any, str]] = [("cycle", str(header["cycle"]), "text"), ("origin", words.show(pd.Timestamp(header["origin"]), "month"), "text"), ("verdict", header["said"] or None, "text"),
                                         ("window", facts["window"], "text")]
    if totals:
        lines += [(name, totals[name], kind) for name, kind in (("plan", "money"), ("units", "units"), ("change", "money"), ("gap", "money"))]
    if exceptions:
        lines += [("exceptions", exceptions["count"], "whole"), ("at_stake", exceptions["total"], "money")]
    if facts["decisions"]:
        lines.append(("decisions", len(facts["decisions"]["cards"]), "whole"))
    lines += [("currency", header["currency"], "text"), ("made", f"sopnb {header['version']}, {header['run']}", "text")]
    return [(words.message(f"workbook.fact.{name}", {"currency": header["currency"]}).text, value, kind) for name, value, kind in lines if value is not None]

