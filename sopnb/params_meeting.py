"""The parameters of the meeting: when and where, its charter, and the template of its agenda."""

from __future__ import annotations

import re
import zoneinfo
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sopnb.problems import nearest

# The points that the facts bring, in their usual order; what each holds is in `agenda`.
POINTS = ("actions", "overdue", "results", "signals", "jumps", "exceptions", "conflicts", "assumptions", "plan", "decision", "close")
# What a decision may be about.
KINDS = ("overload", "short", "late", "excess", "obsolete", "hiring", "budget", "demand")
STEPS = ("collect", "demand", "supply", "kpis", "meeting", "recap")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _one_of(value: str, allowed: tuple[str, ...], what: str) -> None:
    """raises   ValueError naming what is allowed, and the nearest of it"""
    if value not in allowed:
        raise ValueError(" ".join(part for part in (f"no {what} is called {value}. Allowed: {', '.join(allowed)}.", nearest(value, allowed)) if part))


class AgendaPoint(_Part):
    """One line of the agenda's template: a point that the facts bring, or a fixed one of the company's own."""

    point: str | None = Field(None, description="actions, overdue, results, signals, jumps, exceptions, conflicts, assumptions, plan, decision or close")
    title: str = Field("", max_length=200, description="of a point of one's own, or other words for a point of the facts")
    minutes: int | None = Field(None, ge=0, le=480, description="its own minutes; 0 leaves it out; none: by weight")
    weight: float | None = Field(None, gt=0, le=100, description="how heavy it weighs when minutes are shared")
    owner: str = Field("", description="person or role that speaks to it")
    part: Literal["last", "now", "ahead"] | None = Field(None, description="of a point of one's own: last month, now, ahead; none: that of the line above it")

    @model_validator(mode="after")
    def _named(self) -> AgendaPoint:
        if self.point is None and not self.title.strip():
            raise ValueError("needs a point of the facts (`point: results`) or a title of its own (`title: Safety minute`)")
        if self.point is not None:
            _one_of(self.point, POINTS, "point")
            if self.title and self.point in ("decision", "overdue", "assumptions"):
                raise ValueError(f"each point of {self.point} has words of its own: leave `title` out")
            if self.part:
                raise ValueError(f"{self.point} has its place in the order of time: leave `part` out")
        return self


class CharterDay(_Part):
    """A day of the month on which something is to be done."""

    day: int = Field(ge=1, le=31, description="of the cycle month")
    what: str = Field(min_length=1, max_length=200)
    owner: str = Field("", description="person or role")
    step: str | None = Field(None, description="collect, demand, supply, kpis, meeting or recap: checked against the day of the meeting")

    @field_validator("step")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None:
            _one_of(value, STEPS, "step")
        return value


class Charter(_Part):
    """What the meeting is for, who takes part as what, who decides what, and when the month's work is done."""

    purpose: str = ""
    roles: dict[str, str] = Field(default_factory=dict, description="role: what it is for")
    decides: dict[str, str | list[str]] = Field(default_factory=dict, description="kind of decision: role that may take it")
    days: list[CharterDay] = Field(default_factory=list, description="the calendar of the month")

    @field_validator("decides")
    @classmethod
    def _kinds(cls, value: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
        for kind in value:
            _one_of(kind, KINDS, "kind of decision")
        return value


class Meeting(_Part):
    day: int = Field(8, ge=1, le=28, description="day of the cycle month")
    time: str = Field("09:00", description="at which it begins, HH:MM")
    timezone: str = Field("", description="as Asia/Jakarta; none: the invitation is at that hour wherever it is read")
    place: str = Field("", max_length=200, description="room or link")
    minutes: int = Field(60, ge=10, description="time budget")
    chair: str = ""
    quorum: float = Field(0.5, ge=0, le=1)
    hit_share: float = Field(0.5, gt=0, le=1, description="share of a decision's expected effect from which it is a hit")
    stand_for: int = Field(1, ge=0, le=20, description="how many who must come one delegate may stand in for")
    charter: Charter | None = None
    agenda: list[AgendaPoint] = Field(default_factory=list, description="template: points in the order and with the minutes wanted; those not named keep their place")
    assumption_days: int = Field(90, ge=1, description="days after which an assumption without a date should be judged")
    decides: dict[str, str] = Field(default_factory=dict, description="kind of decision: role that may take it; better under charter")
    purpose: str = Field("", description="better under charter")
    file: str | None = Field(None, description="the minutes: a YAML or workbook; {cycle} may stand in it")

    @property
    def aim(self) -> str:
        """What the meeting is for: as the charter says, else the older key."""
        return (self.charter.purpose if self.charter else "") or self.purpose

    @property
    def entitled(self) -> dict[str, list[str]]:
        """kind of decision: the roles that may take it, those of the charter first, each once."""
        found: dict[str, list[str]] = {}
        for source in (self.charter.decides if self.charter else {}, self.decides):
            for kind, roles in source.items():
                given = [roles] if isinstance(roles, str) else roles
                found[kind] = list(dict.fromkeys([*found.get(kind, []), *given]))
        return found

    @field_validator("time", mode="before")
    @classmethod
    def _hour(cls, value: object) -> object:
        """YAML 1.1 reads an unquoted 9:30 as the number 570, minutes in base 60: back to what was written."""
        shown = f"{value // 60:02d}:{value % 60:02d}" if type(value) is int and 0 <= value < 24 * 60 else value
        if not (isinstance(shown, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", shown)):
            raise ValueError("is an hour of the day, as \"09:00\"")
        return shown

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value:
            known = zoneinfo.available_timezones()
            if value not in known:
                raise ValueError(" ".join(part for part in (f"no time zone is called {value}.", nearest(value, known) or "A time zone is written Asia/Jakarta or Europe/Berlin.") if part))
        return value

    @field_validator("agenda")
    @classmethod
    def _once(cls, value: list[AgendaPoint]) -> list[AgendaPoint]:
        named = [one.point or one.title.strip().casefold() for one in value]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice: name each point once")
        return value
