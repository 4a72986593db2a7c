"""One rep, or a sales manager's team, taken apart: open deals with their chance, accounts, quota, and whose forecast counts.

    one = take("R01", reps=reps, accounts=accounts, deals=sales.deals(opportunities, as_of=day), won=sales.won(opportunities, as_of=day),
               quotas=quotas, expected=forecast_sales, record=weights, people=names, origin=origin)

Typed is the code or name of a rep, or of somebody who hands in a sales forecast: then the reps of the places it speaks of
are shown together. Nothing is the rep with most money expected of open deals. A name nobody knows is answered with the
nearest ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from sopnb import closeup, frames

DEALS = ["opportunity", "account", "family", "item", "stage", "amount", "chance", "expected", "close_date", "added"]
VOICE = ["owner", "weight", "wape_before", "wape_with", "bias", "months"]


@dataclass(frozen=True)
class Rep:
    """What is known of a rep, or of a team.

    asked     what was typed; name: who that is, empty where nobody knows; then `near` has code and name of the nearest
    reps      their codes, one or a team's; team: whether it is one; territories: theirs
    deals     opportunity   account, name (of the account), family, item, stage, amount, expected (money), chance
              (fraction), close_date, added (to the plan beside the baseline); most expected first
    accounts  account       name, deals (open ones), open, expected (money); those without an open deal too
    quota     month         quota, sold (money), attainment (fraction)
    voices    owner         weight, wape_before, wape_with, bias (fractions), months: forecasts that speak of the
              territories, or of all of them
    """

    asked: str
    name: str = ""
    near: list[tuple[str, str]] = field(default_factory=list)
    reps: list[str] = field(default_factory=list)
    team: bool = False
    territories: list[str] = field(default_factory=list)
    deals: pd.DataFrame = field(default_factory=pd.DataFrame)
    accounts: pd.DataFrame = field(default_factory=pd.DataFrame)
    quota: pd.DataFrame = field(default_factory=pd.DataFrame)
    voices: pd.DataFrame = field(default_factory=pd.DataFrame)


def take(
    rep: str,
    *,
    reps: pd.DataFrame | None,
    deals: pd.DataFrame | None,
    won: pd.DataFrame | None,
    origin: pd.Timestamp,
    accounts: pd.DataFrame | None = None,
    quotas: pd.DataFrame | None = None,
    expected: pd.DataFrame | None = None,
    record: pd.DataFrame | None = None,
    people: Mapping[str, str] | None = None,
    months: int = 12,
) -> Rep:
    """All that is known of a rep, or of the team of somebody who forecasts sales.

    rep       as typed, code or name in any case; empty: the rep with most money expected of open deals
    reps      rep                    name, territory
    deals     sales.deals, won: sales.won of opportunities
    accounts  account                name; quotas: rep × month, quota (money)
    expected  frames.FORECAST_SALES; record: weights.sales; people: owner, name
    origin    the last month known; months: so many to it are looked at for deals won and quotas
    returns   Rep; of an unknown one only `near` is filled
    """
    rep = closeup.as_typed(rep)
    if reps is None or reps.empty:
        return Rep(rep)
    known = _names(reps, people or {}, expected)
    code = closeup.named(rep, known) if rep else _busiest(reps, deals)
    if not code:
        return Rep(rep, near=closeup.alike(rep, known))
    alone = code in set(reps["rep"])
    team = [code] if alone else _team(code, reps, expected)
    places = sorted(set(reps.loc[reps["rep"].isin(team), "territory"].dropna()))
    first = frames.next_month(origin, 1 - months)
    near = None if won is None else won[won["rep"].isin(team) & won["month"].between(first, origin)]
    mine = pd.DataFrame(columns=DEALS) if deals is None else deals[deals["rep"].isin(team)]
    names = {} if accounts is None or "name" not in accounts.columns else dict(accounts.dropna(subset=["name"]).set_index("account")["name"])
    open_deals = mine[DEALS].assign(name=mine["account"].map(names).fillna(mine["account"])).sort_values(["expected", "opportunity"], ascending=[False, True], kind="stable").reset_index(drop=True)
    return Rep(
        rep, known[code], reps=team, team=not alone, territories=places, deals=open_deals, accounts=_accounts(open_deals, names, accounts, team),
        quota=_quota(quotas, near, team, first, origin), voices=_voices(expected, record, places, "" if alone else code))


def _names(reps: pd.DataFrame, people: Mapping[str, str], expected: pd.DataFrame | None) -> dict[str, str]:
    """Reps, and owners of a sales forecast, by name."""
    owners = [] if expected is None else sorted(set(expected["owner"].dropna()))
    named = reps["name"].fillna(reps["rep"]) if "name" in reps.columns else reps["rep"]
    return {**{str(owner): people.get(owner, str(owner)) for owner in owners}, **dict(zip(reps["rep"].astype(str), named.astype(str), strict=True))}


def _busiest(reps: pd.DataFrame, deals: pd.DataFrame | None) -> str:
    """The rep with most money expected of open deals; without deals the first."""
    size = pd.Series(dtype="float64") if deals is None else deals[deals["rep"].isin(reps["rep"])].groupby("rep")["expected"].sum()
    return str(reps["rep"].iloc[0] if size.empty else size.sort_values(ascending=False, kind="stable").index[0])


def _team(owner: str, reps: pd.DataFrame, expected: pd.DataFrame | None) -> list[str]:
    """The reps of the places that the owner's forecast speaks of; all of them where it speaks of all."""
    said = set() if expected is None else set(expected.loc[expected["owner"] == owner, "location"].fillna("all"))
    return list(reps["rep"] if "all" in said else reps.loc[reps["territory"].isin(said), "rep"])


def _accounts(deals: pd.DataFrame, names: Mapping[str, str], accounts: pd.DataFrame | None, team: list[str]) -> pd.DataFrame:
    """The accounts that open deals or the account list give them, most expected first."""
    sums = deals.groupby("account").agg(deals=("opportunity", "size"), open=("amount", "sum"), expected=("expected", "sum")).astype("float64")
    held = [] if accounts is None or "rep" not in accounts.columns else list(accounts.loc[accounts["rep"].isin(team), "account"])
    out = sums.reindex(sums.index.union(pd.Index(held, dtype=object), sort=False)).fillna(0.0).rename_axis("account").reset_index()
    out.insert(1, "name", out["account"].map(dict(names)).fillna(out["account"]))
    return out.sort_values(["expected", "account"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _quota(quotas: pd.DataFrame | None, won: pd.DataFrame | None, team: list[str], first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Quota and what was won by month; months without a quota are no yardstick and are left out."""
    if quotas is None or won is None:
        return pd.DataFrame(columns=["month", "quota", "sold", "attainment"])
    asked = quotas[quotas["rep"].isin(team) & quotas["month"].between(first, last)].groupby("month")["quota"].sum()
    out = pd.DataFrame({"quota": asked, "sold": won.groupby("month")["amount"].sum().reindex(asked.index).fillna(0.0)}).reset_index()
    return out.assign(attainment=out["sold"] / out["quota"].where(out["quota"] > 0))


def _voices(expected: pd.DataFrame | None, record: pd.DataFrame | None, places: list[str], owner: str) -> pd.DataFrame:
    """Whose forecasts speak of these places, and how far each is followed."""
    if expected is None or record is None or record.empty:
        return pd.DataFrame(columns=VOICE)
    speak = {owner} if owner else set(expected.loc[expected["location"].fillna("all").isin([*places, "all"]), "owner"])
    return record.loc[record["owner"].isin(speak), VOICE].sort_values("owner", kind="stable").reset_index(drop=True)
