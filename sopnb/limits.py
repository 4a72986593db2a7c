"""What a row of each source is held against: when it became known, what its values may be, what it must belong to."""

from __future__ import annotations

import numpy as np

# The day a row became known, and the months of grace: overrides and notes are written while the cycle is under way.
KNOWN_BY = {"orders": ("order_date", 0), "purchases": ("ordered", 0), "stock_history": ("month", 0), "market": ("month", 0),
            "opportunities": ("created", 0), "overrides": ("made_on", 1), "intelligence": ("date", 1)}
# What happened on or after the cut-off is not known yet: the day, and what it brings.
HAPPENS = {"orders": ("shipped_date", ("shipped_quantity",)), "purchases": ("received", ())}
NO_END = {"end_date", "valid_to", "end", "expires"}  # 9999-12-31 here means: no end
NO_START = {"launch_date", "valid_from", "start"}  # 1900-01-01 here means: always
# A row of these describes one thing for the whole cycle. A slip in a side column blanks the cell, not the thing:
# setting an item aside would set all its orders aside with it.
MASTERS = {"items", "accounts", "reps", "people"}
WITH_ITEM = ("orders", "stock", "stock_history", "receipts", "lanes", "prices", "conversions")
EVERYWHERE = ("events", "overrides", "forecast_sales", "leads")  # an empty location means all of them
LIMITS = {("orders", "unit_price"): (0, np.inf), ("orders", "discount"): (0, 1), ("receipts", "quantity"): (0, np.inf),
          ("bom", "quantity"): (0, np.inf), ("bom", "scrap"): (0, 1), ("routings", "hours_per_unit"): (0, np.inf),
          ("capacity", "available_hours"): (0, np.inf), ("capacity", "overtime_hours"): (0, np.inf), ("prices", "price"): (0, np.inf),
          ("prices", "discount"): (-np.inf, 1), ("quotas", "quota"): (0, np.inf), ("items", "unit_cost"): (0, np.inf),
          ("items", "unit_price"): (0, np.inf), ("items", "lead_time_days"): (0, np.inf), ("items", "lead_time_sd_days"): (0, np.inf), ("items", "moq"): (0, np.inf),
          ("items", "lot_multiple"): (0, np.inf), ("items", "safety_stock"): (0, np.inf), ("stock_history", "days_out"): (0, 31),
          ("events", "from_family"): (0, 1), ("leads", "leads"): (0, np.inf), ("leads", "conversion"): (0, 1), ("leads", "units"): (0, np.inf)}
ALLOWED = {("overrides", "level"): ("item", "family", "location", "total"), ("overrides", "kind"): ("absolute", "delta", "percent"),
           ("forecast_sales", "level"): ("item", "family"), ("leads", "level"): ("item", "family"), ("events", "level"): ("item", "family", "all"),
           ("events", "kind"): ("promotion", "launch", "price", "competitor", "holiday"), ("opportunities", "outcome"): ("won", "lost")}
CLOSING = ("won", "lost")
