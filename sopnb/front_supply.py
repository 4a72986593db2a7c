"""Supply on the front page: exceptions by money, capacity, and which limit binds first.

Exceptions, capacity and limits speak of the page's months; what lies behind them is one line. Goods that are in two
exceptions are counted once: `overlap` of the table is taken off, in a row of its own, so that the rows add up.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import deliverable, supply, words
from sopnb.front_ground import Ground, Scale, about, rows_of, span_text
from sopnb.report import status
from sopnb.words import Sentence, message

SELLING = ("short", "overload")  # kinds that lose sales
LOSING = (*SELLING, "late")  # shown as too little; the others tie up money


def told(message_id: object, values: object) -> Sentence:
    """A stored message; where its words are not known, the id itself, so that nothing is lost."""
    if words.is_missing(message_id) or message_id == "":
        return words.plain("")
    if str(message_id) not in words.MESSAGES:
        return words.plain(str(message_id))
    return message(str(message_id), values if isinstance(values, str | dict) else None)


def exceptions(ground: Ground, *, top: int) -> dict[str, Any] | None:
    """Planned results that need a decision: the largest by money, all other in one row, what is in two of them, the total.

    returns  rows: name, place, kind, status, span, because, units, text, amount, bar (% of the longest), tone, answer
             (id of the decision that answers it); other; overlap (text, or None); total = Σ amount − Σ overlap; short, late
             and stock: its parts; answered: what of short a decision asked for answers; losing: how many are not stock; beyond: what lies behind these months; count, unit; None where it was not computed
    """
    if "exceptions" not in ground.tables:
        return None
    table = ground.tables["exceptions"]
    later = beyond(ground)
    empty: dict[str, Any] = {"rows": [], "other": None, "overlap": None, "total": 0.0, "short": 0.0, "late": 0.0, "stock": 0.0, "answered": 0.0, "losing": 0, "count": 0, "unit": "",
                             "beyond": later, "finding": message("front.exceptions.calm", {"window": ground.window_text})}
    if table.empty:
        return empty
    ranked = _once(table).sort_values(["size", "id"], ascending=[False, True], kind="stable")
    shown, rest = (ranked, ranked.iloc[:0]) if len(ranked) <= top else (ranked.head(top), ranked.iloc[top:])
    total, overlap, scale = float(ranked["counted"].sum()), float(ranked["twice"].sum()), Scale.of(ranked["size"])
    parts = {kind: float(ranked.loc[ranked["kind"].isin(of), "counted"].sum()) for kind, of in (("short", SELLING), ("late", ("late",)), ("stock", ("excess", "obsolete")))}
    met = ranked.loc[ranked["kind"].isin(SELLING) & ranked["answered"].isin(list(_answers(ground))), "counted"]
    longest = max(float(shown["size"].max()), float(rest["size"].sum()), 1e-9)
    answers = _answers(ground)
    rows = [_exception(ground, row, scale, longest, answers) for row in rows_of(shown)]
    largest, amount = _largest(ground, ranked)
    other = None if rest.empty else {"n": len(rest), "text": scale.show(rest["size"].sum()), "bar": 100 * float(rest["size"].sum()) / longest,
                                     "label": message("front.exceptions.other.one" if len(rest) == 1 else "front.exceptions.other", {"n": len(rest)})}
    said = {"total": about(total), "first": about(amount), "name": largest, "cycle": f"{ground.cycle:%Y-%m}", **{kind: about(part) for kind, part in parts.items()}}
    return {"rows": rows, "other": other, "total": total, "total_text": scale.show(total), "count": len(ranked), "unit": scale.label, "scale": scale, **parts,
            "answered": float(met.sum()), "losing": int(ranked["kind"].isin(LOSING).sum()),
            "overlap": {"text": scale.show(-overlap), "amount": overlap} if overlap > 0 else None, "beyond": later, "because": any(r["because"].text for r in rows),
            "answers": any(r["answer"] for r in rows), "places": any(r["place"] for r in rows), "largest": largest,
            "finding": message("front.exceptions.one" if amount >= total else "front.exceptions.finding", said),
            "sub": message("front.exceptions.sub", {"unit": scale.label, "window": ground.window_text}),
            "source": message("front.exceptions.source.once" if overlap > 0 else "front.exceptions.source", {**said, "parts": _parts(parts)})}


def _parts(parts: dict[str, float]) -> str:
    """The kinds of money that the total is made of, those that are there: a manager does not add them in the head."""
    return ". ".join(message(f"front.exceptions.part.{kind}", {"amount": about(parts[kind])}).text for kind in ("short", "stock", "late") if parts[kind])


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """With the size of each exception, and the part of it that is counted here and not in another one."""
    size = table["amount"].abs()
    twice = table["overlap"].fillna(0.0) if "overlap" in table else pd.Series(0.0, index=table.index)
    return table.assign(size=size, twice=twice, counted=size - twice, answered=group_of(table))


def group_of(table: pd.DataFrame) -> pd.Series:
    """What each exception is answered with: its group, else itself."""
    return table["group"].fillna(table["id"]) if "group" in table else table["id"]


def _largest(ground: Ground, ranked: pd.DataFrame) -> tuple[str, float]:
    """The largest case in words, and its money: a group of one cause, or an item at all its locations, or a resource."""
    sums = ranked.groupby("answered")["counted"].sum()
    members = ranked[ranked["answered"] == sums.idxmax()]
    row = rows_of(members)[0]
    if len(members) > 1:
        return message(f"front.group.said.{row['kind']}", {"what": group_name(members)}).text, float(sums.max())
    name = ground.item_name(row["item"]) or row["resource"] or row["id"]
    same = ranked[(ranked["item"] == row["item"]) & ranked["kind"].eq(row["kind"])] if row["item"] else members
    return name, float(same["counted"].sum())


def group_name(members: pd.DataFrame) -> str:
    """A group in words: 69 items whose selling has ended."""
    cause = str(members["because"].iloc[0]).removeprefix("exceptions.").removesuffix("_one")
    known = f"front.group.{cause}" if f"front.group.{cause}" in words.MESSAGES else f"front.group.{members['kind'].iloc[0]}"
    n = int(members["item"].nunique())
    return message(known + (".one" if n == 1 else ""), {"n": n}).text


def beyond(ground: Ground) -> list[Sentence]:
    """What the plan holds behind the page's months."""
    later = supply.beyond(after=ground.months[-1], load=ground.get("load"), projection=ground.get("projection"))
    return [told(row["because"], row["values"]) for row in rows_of(later)]


def _answers(ground: Ground) -> dict[str, str]:
    """Which decision answers which exception: all of a group by the same."""
    asked = ground.get("asked")
    return {} if asked is None else {row["exception"]: f"d{i}" for i, row in enumerate(in_order(asked), start=1) if row["exception"]}


def in_order(asked: pd.DataFrame) -> list[dict[str, Any]]:
    return rows_of(asked.sort_values(["position", "decision"], kind="stable"))


def _exception(ground: Ground, row: dict[str, Any], scale: Scale, longest: float, answers: dict[str, str]) -> dict[str, Any]:
    losing = row["kind"] in LOSING
    place = ground.place(row["location"])
    known = f"front.kind.{row['kind']}" in words.MESSAGES
    word = message(f"front.kind.{row['kind']}", {}).text if known else row["kind"]
    number = answers.get(row["answered"], "")
    return {"name": ground.item_name(row["item"]) or row["resource"] or row["id"], "place": place, "kind": row["kind"],
            "status": status("short" if losing else "excess", word, "off" if losing else "watch"), "word": word, "losing": losing,
            "span": span_text(row["first"], row["last"]), "because": told(row["because"], row["values"]),
            "units": words.number(row["units"], ",.0f") if row["kind"] != "overload" else message("front.hours", {"hours": row["units"]}).text,
            "text": scale.show(abs(row["amount"])), "amount": abs(float(row["amount"])), "bar": 100 * abs(row["amount"]) / longest,
            "answer": number, "answer_text": message("front.decision", {"n": number[1:]}) if number else words.plain("")}


def capacity(ground: Ground, top: int = 6) -> dict[str, Any] | None:
    """Load of the fullest resources as a share of their hours, month by month, on one scale.

    returns  finding, sub, panels: name, status, bars (month letter, share, over, drawing in percent and pixels), alt; load
             (frames.LOAD of the resources shown); None where there is no load
    """
    load = ground.get("load")
    if load is None:
        return None
    inside = ground.within(load)
    inside = inside[inside["available"] > 0].assign(share=lambda d: d["hours"] / d["available"])
    if inside.empty:
        return None
    peaks = inside.groupby("resource")["share"].max().sort_values(ascending=False, kind="stable")
    ceiling = max(1.15, float(peaks.iloc[0]) * 1.12)
    shown = [_panel(name, inside[inside["resource"] == name].sort_values("month"), ceiling) for name in peaks.index[:top]]
    over = inside[inside["hours"] > inside["available"]]
    worst = inside.loc[inside["share"].idxmax()]
    values = {"resource": worst["resource"], "share": worst["share"], "month": worst["month"], "n": len(peaks),
              "hours": float((over["hours"] - over["available"]).sum()), "resources": over["resource"].nunique()}
    values["months"] = over["month"].nunique()
    form = "over.many" if values["resources"] > 1 else "over.months" if values["months"] > 1 else "over"
    kind = f"front.capacity.{'enough' if over.empty else form}"
    more = len(peaks) - len(shown)
    return {"finding": message(kind, values), "sub": message("front.capacity.sub", {"window": ground.window_text}), "cure": _cure(ground, over), "panels": shown,
            "load": inside[inside["resource"].isin(peaks.index[:top])].drop(columns="share").reset_index(drop=True),
            "more": message("front.capacity.more.one" if more == 1 else "front.capacity.more", {"n": more, "peak": float(peaks.iloc[top])}) if more > 0 else words.plain("")}


def _cure(ground: Ground, over: pd.DataFrame) -> Sentence:
    """The cheapest mix of cures for the overloads shown: what it costs, its hours, and what it leaves undone."""
    cures = ground.get("cures")
    mix = None if cures is None else cures[cures["way"] == "mix"].merge(over[["resource", "month"]], on=["resource", "month"])
    if mix is None or mix.empty:
        return words.plain("")
    hours = mix.groupby("cure")["hours"].sum()
    parts = [message("cures." + name, {"hours": hours[name]}).text for name in ("pull_forward", "overtime", "shift", "subcontract") if hours.get(name, 0.0) >= 0.5]
    left = float(hours.get("ration", 0.0))
    kind = "none" if not parts else "rest" if left >= 0.5 else "all"
    return message(f"front.capacity.cure.{kind}", {"cost": about(mix["cost"].sum()), "parts": ", ".join(parts), "left": left})


def _panel(name: str, rows: pd.DataFrame, ceiling: float, height: int = 118, ground_line: int = 98) -> dict[str, Any]:
    """One small multiple: bars to the line at 100 %, red above it, the peak named."""
    def y(share: float) -> float:
        return round(ground_line - (ground_line - 14) * share / ceiling, 2)

    step, peak = 100 / len(rows), float(rows["share"].max())
    at_peak, bars = int(rows["share"].argmax()), []
    for i, (month, share) in enumerate(zip(rows["month"], rows["share"], strict=True)):
        bars.append({"letter": words.show(month, "mon")[:1], "x": round(i * step + step * .15, 2), "w": round(step * .7, 2), "mid": round((i + .5) * step, 2),
                     "y": y(min(share, 1)), "h": round(ground_line - y(min(share, 1)), 2), "over_y": y(share), "over_h": round(y(1) - y(share), 2) if share > 1 else 0,
                     "label": words.number(share, ".0%") if i == at_peak and peak > 0 else ""})
    over = int((rows["share"] > 1).sum())
    word = message("front.capacity.months" if over > 1 else "front.capacity.month" if over else "front.capacity.tight" if peak > .9 else "front.capacity.free", {"n": over}).text
    listed = ", ".join(f"{words.show(m, 'mon')} {words.number(s, '.0%')}" for m, s in zip(rows["month"], rows["share"], strict=True))
    return {"name": name, "bars": bars, "line": y(1), "base": ground_line, "height": height,
            "status": status("off" if over else "watch" if peak > .9 else "ok", word), "alt": message("front.capacity.alt", {"resource": name, "listed": listed}).text}


def binds(ground: Ground) -> dict[str, Any] | None:
    """Which limit takes from the plan first within the page's months, stock, hours or sales: the month, and the money behind it.

    By `deliverable.binding`, as step 03 says it. None where no plan has been held against its limits.
    """
    delivered = ground.get("deliverable")
    known = [cause for cause, table in (("stock", "projection"), ("hours", "load"), ("sales", "hiring")) if ground.get(table) is not None]
    if delivered is None or not known:
        return None
    met = rows_of(deliverable.binding(ground.within(delivered)))
    if not met:
        named = ", ".join(message(f"front.binds.{cause}.word", {}).text for cause in known)
        return {"finding": message("front.binds.none", {"named": named, "window": ground.window_text}), "rows": []}
    first = message(f"front.binds.{met[0]['cause']}.word", {}).text
    said = {"first": first[:1].upper() + first[1:], "month": met[0]["month"]}
    if len(met) > 1:
        said |= {"second": message(f"front.binds.{met[1]['cause']}.word", {}).text, "then": met[1]["month"]}
    form = "" if len(met) == 1 else ".also" if met[1]["month"] == met[0]["month"] else ".then"
    return {"finding": message("front.binds.first" + form, said), "sub": message("front.binds.sub", {"window": ground.window_text}), "rows": [_limit(ground, row) for row in met]}


def _limit(ground: Ground, row: dict[str, Any]) -> dict[str, Sentence]:
    """A limit's line: the first month, and all of the page's months. What reps cannot sell is said against all that is planned."""
    cause = row["cause"]
    values: dict[str, Any] = {"month": row["month"], "amount": about(row["amount"]), "n": row["months"], "all_amount": about(row["all_amount"]), "last": ground.months[-1]}
    hiring = ground.get("hiring")
    if cause == "sales" and hiring is not None:
        near = ground.within(hiring)
        short = (near["target"] - near["capacity"]).clip(lower=0.0)
        at = near["month"] == row["month"]
        values |= {"reps": float(near.loc[at, "reps"].sum()), "amount": about(short[at].sum()), "share": float(short[at].sum() / near.loc[at, "target"].sum()), "all_amount": about(short.sum())}
    form = ".unknown" if cause == "sales" and hiring is None else ".many" if row["months"] > 1 else ""
    return {"title": message(f"front.binds.{cause}.title", values), "why": message(f"front.binds.{cause}.why{form}", values)}
