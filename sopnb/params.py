"""The typed parameters of a company: `params/<company>.yaml`, read once, every problem in one list.

Structured settings live here and nowhere else; a notebook's parameters cell holds only the step's few scalars.
Unknown keys are refused with the nearest valid name, since a misspelt setting that is silently ignored is a wrong plan.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sopnb import what_if, yaml_files
from sopnb.params_meeting import Meeting
from sopnb.problems import Problem, Problems, nearest

# The names of frames.SOURCES, which a test compares: to import `frames` here would take longer than reading the parameters.
SOURCES = (
    "orders", "items", "stock", "stock_history", "receipts", "purchases", "lanes", "bom", "routings", "capacity", "workforce", "prices",
    "forecast_sales", "leads", "opportunities", "accounts", "reps", "quotas", "events", "market", "intelligence", "budget", "overrides", "people",
    "conversions", "rates",
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


DOMAIN = re.compile(r"(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def one_line(value: str | None) -> str | None:
    """Text that may stand in the header of a mail.

    raises   ValueError where it holds a line break or another control character: it would write headers of its own
    """
    if value and re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", value):
        raise ValueError("holds a line break or a control character; it stands in the header of mails: write it in one line")
    return value


class Locale(_Part):
    """How numbers and dates are written in a text file. Declared, never guessed."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    dates: str = "yyyy-mm-dd"
    months: Literal["en", "id"] = "en"
    delimiter: str = ","
    encoding: Literal["utf-8", "latin-1", "utf-16", "cp1252"] = "utf-8"


class Source(_Part):
    """One source: a file with a column map, a query over files, or a query on a database."""

    path: str | None = None
    sheet: str | None = None
    columns: dict[str, str] = Field(default_factory=dict, description="our column: theirs")
    defaults: dict[str, str | int | float | bool] = Field(default_factory=dict, description="our column: a constant")
    sql: str | None = None
    files: dict[str, str] = Field(default_factory=dict, description="view name: path, for sql over files")
    url: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ".", ",", " ", "'"] | None = None
    dates: str | None = None
    months: Literal["en", "id"] | None = None
    delimiter: str | None = None
    encoding: Literal["utf-8", "latin-1", "utf-16", "cp1252"] | None = None
    fresh_days: int | None = Field(None, ge=0, description="days from the last row to the cut-off before it is stale")

    @model_validator(mode="after")
    def _one_way(self) -> Source:
        if self.path and self.sql:
            raise ValueError("give either path or sql, not both")
        if not self.path and not self.sql:
            raise ValueError("give a path (a file) or sql (a query over files: or url:)")
        if self.url and not re.fullmatch(r"env:[A-Za-z_]\w*", self.url):
            raise ValueError("url must be a reference to the environment, as env:ERP_URL, so that no secret stands in a file")
        if self.url and not self.sql:
            raise ValueError("url needs sql")
        return self


class Quality(_Part):
    """When a finding is red, and how large a jump must be to be told."""

    red_share: float = Field(0.05, ge=0, le=1, description="share of rows or money set aside from which a finding is red")
    fresh_days: int = Field(10, ge=0, description="days from the last row to the cut-off before a source is stale")
    jump_share: float = Field(0.25, gt=0, description="change on expected from which a drop or surge is told")
    jump_score: float = Field(3.0, gt=0, description="change in usual month-to-month deviations from which it is told")
    jumps: int = Field(10, ge=1, description="drops and surges told, by money")
    waive: list[Waiver] = Field(default_factory=list)


class Waiver(_Part):
    """A person accepts a red finding, for one cycle, with a reason."""

    rule: str
    source: str
    cycle: str
    owner: str
    reason: str


class Demand(_Part):
    decision_lags: list[int] = Field([1, 2, 3], min_length=1, description="lags at which forecasts are judged")
    origins: int = Field(4, ge=1, le=24, description="rolling origins of the backtest")
    season: int = Field(12, ge=1)
    outliers: Literal["correct", "drops", "flag", "off"] = Field("drops", description="one-off months: mended both ways, only where demand fell out, only shown, or not looked for")
    level_shifts: bool = Field(True, description="whether the forecast learns from past months at the level after a lasting change")
    models: list[str] = Field(default_factory=list, description="empty: the field of the segment")
    workers: int = Field(1, ge=1, le=64, description="processes for the forecast; the values do not depend on it. Worth it from some thousand series on")
    abc: tuple[float, float] = (0.80, 0.95)
    xyz: tuple[float, float] = (0.25, 0.50)
    adi: float = Field(1.32, gt=1, description="Syntetos, Boylan and Croston (2005)")
    cv2: float = Field(0.49, gt=0, description="Syntetos, Boylan and Croston (2005)")
    cap_multiple: float = Field(3.0, gt=1, description="no baseline above this multiple of the highest month")
    new_months: int = Field(6, ge=1, description="months of history below which an item is new")
    launch_share: float = Field(0.25, ge=0, le=1, description="of its like item's demand, for a coming item where fewer than 3 launches can be measured")
    launch_curve: Literal["measured", "bass"] = Field("measured", description="shape of a launch: as earlier ones were month by month, or drawn smooth by the Bass model")
    short_months: int = Field(24, ge=1, description="months of history below which a series is short")
    pipeline_min: float = Field(0.0, ge=0, description="money; smaller deals are in the run-rate and are not added")
    pipeline_months: int = Field(6, ge=1, description="months over which a won deal is delivered")
    sales_weight: float | None = Field(None, ge=0, le=1, description="weight of the sales forecast; None: by its record")
    sales_weight_cap: float = Field(0.5, ge=0, le=1)
    leads_weight: float | None = Field(None, ge=0, le=1, description="weight of marketing's leads; None: by their record")
    leads_weight_cap: float = Field(0.5, ge=0, le=1)
    tracking_limit: float = Field(6.0, gt=0, description="tracking signal, Σ error / mean |error| of a year, from which a series counts as biased")
    reconciliation: Literal["bottom_up", "middle_out", "min_trace"] = Field("min_trace", description="how items, families and the total are made to agree")
    small_override: float = Field(0.5, ge=0, description="of the usual error of its rows; an override that moves less is small")
    override_reasons: list[str] = Field(default_factory=list, description="reason codes an override may carry; empty: any")
    calendar: Literal["none", "ID", "US"] = "none"


MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
Shape = Literal["normal", "gamma", "negative_binomial", "poisson", "empirical"]


class Supply(_Part):
    service: dict[str, float] = Field({"A": 0.98, "B": 0.95, "C": 0.90}, description="cycle service level by class")
    review_days: int = Field(30, ge=1)
    holding_rate: float = Field(0.20, ge=0, description="of unit cost, a year")
    order_cost: float = Field(0.0, ge=0, description="money per order")
    excess_months: float = Field(6.0, gt=0, description="months of coming demand above which stock is excess")
    lead_time_days: int = Field(30, ge=0, description="for items without one")
    exceptions: int = Field(10, ge=1, description="the largest, answered with options; those of one kind and cause count as one")
    exception_months: int = Field(6, ge=1, description="first months of the plan that exceptions, options and the first page speak of")
    subcontract_premium: float = Field(0.15, ge=0, description="of unit cost")
    shift_discount: float = Field(0.05, ge=0, lt=1, description="of price, for customers who take goods in a later month because hours are missing")
    review: Literal["periodic", "continuous"] = Field("periodic", description="periodic: stock is looked at every review_days")
    measure: Literal["cycle", "fill"] | dict[str, Literal["cycle", "fill"]] = Field(
        "cycle", description="what `service` means, for all or by class: cycle service level or fill rate")
    distribution: Shape | dict[Literal["smooth", "erratic", "intermittent", "lumpy"], Shape] | None = Field(
        None, description="of demand over the time stock must last, for all or by pattern; None: by pattern as the books have it; empirical: as past errors were")
    expedite_premium: float = Field(0.10, ge=0, description="of unit cost, for an order that comes faster than its lead time")
    transfer_cost: float = Field(0.05, ge=0, description="of unit cost, for stock moved from another location")
    promotion_discount: float = Field(0.20, ge=0, lt=1, description="of price, to sell excess stock")
    clearance_discount: float = Field(0.50, ge=0, lt=1, description="of price, to clear obsolete stock")
    overtime_share: float = Field(0.10, ge=0, description="of regular output, the most that overtime adds in the aggregate plan")

    @field_validator("service")
    @classmethod
    def _reachable(cls, value: dict[str, float]) -> dict[str, float]:
        if not value:
            raise ValueError("names no class: give at least one, as {A: 0.98, B: 0.95, C: 0.90}")
        if wrong := [f"{name} {target:g}" for name, target in value.items() if not 0 < target < 1]:
            raise ValueError(f"a target lies between 0 and 1, both left out, as 0.98 for 98 %; not {', '.join(wrong)}")
        return value


class Sales(_Part):
    ramp_months: int = Field(6, ge=0, description="months until a new rep sells as much as others")
    attrition: float = Field(0.15, ge=0, lt=1, description="share of reps who leave in a year")
    recruiting_months: int = Field(2, ge=0)
    attainment: float | None = Field(None, gt=0, description="of quota; None: as in the last 12 months")
    rep_cost: float | None = Field(None, ge=0, description="money a month that a rep costs, all in; None: not known, and a hire is weighed without it")


class Target(_Part):
    target: float
    watch: float = Field(description="limit of `watch`; beyond it the KPI is off target")
    better: Literal["higher", "lower", "zero"] = "higher"


class Before(_Part):
    """The pack leaves some days before its meeting, by `sopnb send --due`."""

    days_before: int = Field(ge=0, le=27, description="days before the day of the meeting")


class Mail(_Part):
    send: Literal["never", "after_run"] | Before = Field("never", description="when readers get the pack; failures go to the owner either way")
    sender: str = ""
    smtp: str | None = Field(None, description="env:NAME of an smtps:// address")
    attach: Literal["none", "html"] | list[Literal["html", "xlsx", "calendar"]] = "html"
    reports_url: str | None = None
    domains: list[str] = Field(default_factory=list, description="domains readers may be in, *.example.com being those below; none: those of sender and owner")
    remind_days: int = Field(3, ge=0, le=60, description="days ahead that `sopnb remind` looks")

    @property
    def attached(self) -> tuple[str, ...]:
        """What is attached, of html, xlsx, calendar."""
        if isinstance(self.attach, str):
            return () if self.attach == "none" else (self.attach,)
        return tuple(self.attach)

    @property
    def days_before(self) -> int | None:
        """Days before the meeting that the pack leaves; None where a run sends it, or nobody does."""
        return self.send.days_before if isinstance(self.send, Before) else None

    @field_validator("smtp")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("env:"):
            raise ValueError("must be a reference to the environment, as env:SMTP_URL, so that no password stands in a file")
        return value

    @field_validator("send", mode="before")
    @classmethod
    def _when(cls, value: Any) -> Any:
        days = value.get("days_before") if isinstance(value, dict) and set(value) == {"days_before"} else None
        if isinstance(value, Before) or value in ("never", "after_run") or (type(days) is int and 0 <= days <= 27):
            return value
        raise ValueError(f"is never, after_run, or {{days_before: N}} with N from 0 to 27; not {value!r}")

    @field_validator("attach", mode="before")
    @classmethod
    def _what(cls, value: Any) -> Any:
        if value in ("none", "html") or (isinstance(value, list) and all(one in ("html", "xlsx", "calendar") for one in value)):
            return value
        raise ValueError(f"is none, html, or a list of html, xlsx, calendar; not {value!r}")

    @field_validator("sender", "reports_url")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        return one_line(value)

    @field_validator("reports_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^\s<>\"]+", value):
            raise ValueError(f"is the web address of the reports, as https://reports.example.com; not {value}")
        return value

    @field_validator("domains")
    @classmethod
    def _domains(cls, value: list[str]) -> list[str]:
        if wrong := [name for name in value if not DOMAIN.fullmatch(name)]:
            raise ValueError(f"a domain is written example.com, or *.example.com for all below it, in plain ASCII (others as xn--…); not {', '.join(map(ascii, wrong))}")
        return [name.lower() for name in value]


class Run(_Part):
    step_seconds: int = Field(900, ge=1)
    run_seconds: int = Field(3600, ge=1)


class Ledger(_Part):
    url: str | None = Field(None, description="env:NAME of a database address; none: SQLite beside the reports")

    @field_validator("url")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("env:"):
            raise ValueError("must be a reference to the environment, as env:LEDGER_URL, so that no secret stands in a file")
        return value


class Company(_Part):
    """All parameters of a company or business unit."""

    name: str
    currency: str = Field("USD", pattern="^[A-Z]{3}$")
    language: Literal["en", "id"] = "en"
    owner: str = Field("", description="person or address that hears of failures")
    fiscal_year_start: int = Field(1, ge=1, le=12)
    locations: dict[str, str] = Field(default_factory=dict, description="planning location: name; empty: as found")
    horizon_months: int = Field(18, ge=1, le=60)
    latest_cycle: str | None = Field(None, pattern=MONTH)
    as_of: dt.date | None = None
    folders: dict[str, str] = Field(default_factory=dict, description="name: path; {name} may stand in the paths of sources")
    locale: Locale = Locale()
    sources: dict[str, Source]
    quality: Quality = Quality()
    demand: Demand = Demand()
    supply: Supply = Supply()
    sales: Sales = Sales()
    targets: dict[str, Target] = Field(default_factory=dict, description="KPI: target")
    meeting: Meeting = Meeting()
    mail: Mail = Mail()
    run: Run = Run()
    ledger: Ledger = Ledger()
    assumptions: list[Assumption] = Field(default_factory=list)
    scenarios: list[Scenario] = Field(default_factory=list, max_length=what_if.MOST, description="what if: compared beside the plan")

    def day(self, cycle: str) -> dt.date:
        """Today, for a cycle: as the file says, else the first day of its month. Tables and pages know no other."""
        return self.as_of or dt.date.fromisoformat(f"{cycle}-01")

    def meeting_day(self, cycle: str) -> dt.date:
        return dt.date.fromisoformat(f"{cycle}-01").replace(day=self.meeting.day)

    def today(self, given: dt.date | None = None) -> dt.date:
        """Today, for whoever sends or notes something: as given, as the file says, at the first of a latest cycle that stands still, else the clock's."""
        return given or (self.day(self.latest_cycle) if self.latest_cycle else self.as_of or dt.date.today())

    @field_validator("name", "owner")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return one_line(value) or ""

    @field_validator("assumptions")
    @classmethod
    def _ids(cls, assumptions: list[Assumption]) -> list[Assumption]:
        given = [one.id for one in assumptions if one.id]
        if twice := sorted({one for one in given if given.count(one) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice: give each assumption an id of its own, and never that of an old one")
        return assumptions

    @field_validator("scenarios")
    @classmethod
    def _names(cls, scenarios: list[Scenario]) -> list[Scenario]:
        names = [one.name for one in scenarios]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice: give each scenario a name of its own")
        return scenarios

    @field_validator("sources")
    @classmethod
    def _known(cls, sources: dict[str, Source]) -> dict[str, Source]:
        for name in sources:
            if name not in SOURCES:
                raise ValueError(f"no source is called {name}. {nearest(name, SOURCES)} The sources are: {', '.join(SOURCES)}")
        if not ({"orders", "items"} <= set(sources) or "opportunities" in sources):
            raise ValueError("orders and items are required, or opportunities alone for a sell-side company")
        return sources


class Assumption(_Part):
    """What the plan rests on; carried on the first page until it is struck out."""

    id: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$", description="by which it is judged, as S1; none: made from its text")
    text: str = Field(min_length=1)
    if_not: str = ""
    amount: float | None = None
    owner: str = ""
    made: dt.date | None = None
    due: dt.date | None = Field(None, description="day by which it is known whether it held")


class Change(_Part):
    """One change of a scenario; which words go with which `change` is in what_if.KINDS."""

    change: str = Field(description="demand, price, cost, capacity, down, lead_time, event or setting")
    by: float | None = Field(None, description="fraction: 0.15 is 15 % more")
    family: str | None = None
    item: str | None = None
    location: str | None = None
    resource: str | None = None
    supplier: str | None = None
    event: str | None = None
    setting: str | None = Field(None, description="a number of supply, as holding_rate or service.A")
    first: str | None = Field(None, pattern=r"^\d{4}-(0[1-9]|1[0-2])(-\d{2})?$", description="month, or for `down` the day, from which it holds")
    last: str | None = Field(None, pattern=MONTH, description="last month of it; none: to the end of the plan")
    to: str | None = Field(None, pattern=MONTH, description="month an event is moved to")
    weeks: float | None = Field(None, description="of a standstill")
    days: float | None = Field(None, description="of a standstill, or that a lead time takes more")
    factor: float | None = Field(None, description="of a lead time")
    effect: float | None = Field(None, description="of an event that states none, fraction of the baseline")
    elasticity: float | None = Field(None, description="units follow a price as (1 + by) ^ elasticity; none: -1.76")
    value: float | None = Field(None, description="of the setting")

    @field_validator("change")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in what_if.KINDS:
            raise ValueError(" ".join(part for part in (f"no change is called {value}. Allowed: {', '.join(what_if.KINDS)}.", nearest(value, what_if.KINDS)) if part))
        return value

    @field_validator("first", "last", "to", mode="before")
    @classmethod
    def _as_written(cls, value: Any) -> Any:
        return value.isoformat() if isinstance(value, dt.date) else value

    @model_validator(mode="after")
    def _fits(self) -> Change:
        if wrong := what_if.faults(self.change, self.model_dump(exclude={"change"})):
            raise ValueError("; ".join(wrong))
        return self


class Scenario(_Part):
    """A what if: a name and its changes."""

    name: str = Field(min_length=1, max_length=60)
    changes: list[Change] = Field(min_length=1)


Quality.model_rebuild()
Company.model_rebuild()


def read_yaml(path: Path) -> Any:
    """A params file as plain values: safe, no key twice.

    raises   Problems naming file, line and column where it cannot be read
    """
    try:
        return yaml_files.file(path)
    except FileNotFoundError:
        others = sorted(p.stem for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise Problems([Problem(str(path), "the file does not exist", f"one of {', '.join(others)}" if others else "",
                                nearest(path.stem, others) or "`sopnb init NAME` writes a new one")]) from None


def load(path: str | Path, **overrides: Any) -> Company:
    """The parameters of a company.

    path       params/<company>.yaml
    overrides  top-level values that win over the file where they are not None
    raises     Problems, all in one list
    """
    path = Path(path)
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise Problems([Problem(str(path), "holds no parameters", "`name: value` lines", "`sopnb init NAME` writes an example")])
    data = {**data, **{k: v for k, v in overrides.items() if v is not None}}
    try:
        return Company.model_validate(data)
    except ValidationError as error:
        raise Problems([_problem(path, found) for found in error.errors()]) from None


def _problem(path: Path, found: Any) -> Problem:
    place = ".".join(str(part) for part in found["loc"])
    where = f"{path}, {place}" if place else str(path)
    if found["type"] == "extra_forbidden":
        allowed = _fields_at(found["loc"][:-1])
        return Problem(where, f"no parameter is called {found['loc'][-1]}", ", ".join(sorted(allowed)), nearest(str(found["loc"][-1]), allowed))
    if found["type"] == "missing":
        return Problem(where, "is missing", remedy=f"Add `{found['loc'][-1]}:`")
    if found["type"] == "too_long" and isinstance(found.get("input"), list):
        return Problem(where, f"{found['ctx']['actual_length']} are given", f"at most {found['ctx']['max_length']}", "Take some out")
    wrong = found["msg"].removeprefix("Value error, ")
    if found["type"] == "string_pattern_mismatch" and found["ctx"]["pattern"].startswith(MONTH[:-1]):
        wrong = "no month: write it as YYYY-MM, such as 2027-01" + ("" if found["ctx"]["pattern"] == MONTH else ", or a day as 2027-01-11")
    shown = found.get("input")
    met = f" (it is {shown!r})" if isinstance(shown, str | int | float | bool) and "://" not in str(shown) else ""  # an address may hold a password
    return Problem(where, wrong + met)


def _fields_at(loc: tuple[int | str, ...]) -> list[str]:
    """Names allowed at a place in the parameters, found by walking the models."""
    model: Any = Company
    for part in loc:
        fields = getattr(model, "model_fields", None)
        if fields is None:
            continue
        if isinstance(part, str) and part in fields:
            model = _inner(fields[part].annotation)
    return list(getattr(model, "model_fields", {}))


def _inner(annotation: Any) -> Any:
    """The model behind an annotation such as dict[str, Source] or list[Waiver]."""
    for argument in getattr(annotation, "__args__", ()):
        found = _inner(argument)
        if hasattr(found, "model_fields"):
            return found
    return annotation
