"""What supplies what: lanes between places and bills of materials, as one network of items at places.

An item at a place that a lane supplies is shipped from the lane's source; any other item is made, from the components
of its bill, or bought where it is needed. Shipments and components are the same thing to whoever must have them ready: a need that follows from
an order further up. So both are links of one network, and one walk from the top down plans them all.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SERIES = ["item", "location"]


def ranks(parent, child, count):
    """Low-level codes: of each node the longest way down to it from one that nothing needs, which is 0.

    parent, child  arrays of node numbers, one pair a link
    count          number of nodes
    returns        array of levels; -1 for nodes in a circle, and below one

    A node used on several levels takes the lowest, so that all its requirements are known when it is planned.

    >>> ranks(np.array([0, 0, 1]), np.array([1, 2, 2]), 3).tolist()
    [0, 1, 2]
    """
    parent, child = np.asarray(parent, dtype=int), np.asarray(child, dtype=int)
    out, waiting = np.full(count, -1), np.bincount(child, minlength=count)
    ready, level = np.flatnonzero(waiting == 0), 0
    while len(ready):
        out[ready] = level
        gone = np.isin(parent, ready)
        waiting -= np.bincount(child[gone], minlength=count)
        parent, child = parent[~gone], child[~gone]
        ready, level = np.flatnonzero((waiting == 0) & (out < 0)), level + 1
    return out


def circles(pairs, first=()):
    """Every path that closes on itself, looked for from the top down.

    pairs    (node, node) of each link
    first    nodes to begin at where a circle has no top: those that something is asked of
    returns  list of paths, first node = last node; the last step of each is the link that closes it

    >>> circles([("A", "B"), ("B", "C"), ("C", "A")])
    [['A', 'B', 'C', 'A']]
    """
    nodes = sorted({node for pair in pairs for node in pair})
    number = {node: i for i, node in enumerate(nodes)}
    top = [nodes[i] for i in np.flatnonzero(ranks([number[a] for a, _ in pairs], [number[b] for _, b in pairs], len(nodes)) == 0)]
    children: dict = {}
    for a, b in sorted(set(pairs)):
        children.setdefault(a, []).append(b)
    found: list = []
    done: set = set()
    for root in [*top, *(node for node in first if node in number), *nodes]:
        if root not in done:
            _descend(root, children, done, found)
    return found


def _descend(root, children, done, found):
    """Everything below root, without recursion; a step back onto the path is a circle."""
    path, on_path, waiting = [root], {root}, [iter(children.get(root, ()))]
    while path:
        node = next(waiting[-1], None)
        if node is None:
            waiting.pop()
            on_path.discard(path[-1])
            done.add(path.pop())
        elif node in on_path:
            found.append([*path[path.index(node):], node])
        elif node not in done:
            path.append(node)
            on_path.add(node)
            waiting.append(iter(children.get(node, ())))


def closing_links(pairs, first=()):
    """The link that closes each circle, with the circle's path: what must be left out for the rest to be planned.

    pairs, first   as in `circles`
    returns        link: path
    """
    known = sorted({node for pair in pairs for node in pair})
    number = {node: i for i, node in enumerate(known)}
    parent, child = np.array([number[a] for a, _ in pairs], dtype=int), np.array([number[b] for _, b in pairs], dtype=int)
    rank = ranks(parent, child, len(known))
    if (rank >= 0).all():
        return {}
    inside = [pair for pair, a, b in zip(pairs, parent, child, strict=True) if rank[b] < 0]  # circles cannot lie above
    return {(path[-2], path[-1]): path for path in circles(inside, first)}


def spread(keys, *, lanes=None, bill=None):
    """The items at places that have to be planned, and what each needs of the others.

    keys     item × location: what is asked for, counted or on order
    lanes    item × location   source_location, transit (units of time); None: nothing is shipped
    bill     item, component   per (units of component a unit), begins, ends (time an order's due day must lie in); None
    returns  item × location: keys and all they need, sorted; and the links: parent, child (rows of it), per, begins, ends,
             shipped (by a lane); sorted by parent and child
    """
    known = keys[SERIES].drop_duplicates()
    fresh, links = known, []
    while len(fresh):
        steps = _steps(fresh, lanes, bill)
        links.append(steps)
        needed = steps[["component", "at"]].drop_duplicates().set_axis(SERIES, axis=1)
        seen = pd.MultiIndex.from_frame(known)
        fresh = needed[~pd.MultiIndex.from_frame(needed).isin(seen)]
        known = pd.concat([known, fresh], ignore_index=True)
    known = known.sort_values(SERIES, kind="stable").reset_index(drop=True)
    row = pd.MultiIndex.from_frame(known)
    table = pd.concat(links, ignore_index=True) if links else _steps(known, None, None)
    table["parent"] = row.get_indexer(pd.MultiIndex.from_frame(table[SERIES]))
    table["child"] = row.get_indexer(pd.MultiIndex.from_frame(table[["component", "at"]]))
    return known, table[["parent", "child", "per", "begins", "ends", "shipped"]].sort_values(["parent", "child", "begins"], kind="stable").reset_index(drop=True)


def _steps(fresh, lanes, bill):
    """One step down from each of these: to the source of its lane, else to its components."""
    columns = [*SERIES, "component", "at", "per", "begins", "ends", "shipped"]
    low, high = np.iinfo("int64").min, np.iinfo("int64").max
    parts, made = [], fresh
    if lanes is not None and len(lanes):
        lane = fresh.merge(lanes, on=SERIES, how="left")
        shipped = lane[lane["source_location"].notna()]
        parts.append(shipped.assign(component=shipped["item"], at=shipped["source_location"], per=1.0, begins=low, ends=high, shipped=True)[columns])
        made = lane.loc[lane["source_location"].isna(), SERIES]
    if bill is not None and len(bill):
        parts.append(made.merge(bill, on="item").assign(at=lambda d: d["location"], shipped=False)[columns])
    parts = [part for part in parts if len(part)]
    if parts:
        return pd.concat(parts, ignore_index=True)
    return pd.DataFrame({name: pd.Series(dtype=object if name in (*SERIES, "component", "at") else "float64" if name == "per" else "int64")
                         for name in columns}).astype({"shipped": bool})
