"""Many mails through a server that goes wrong at random, by senders that are killed and run at once; then the count.

    python tests/torture.py --sends 1000 --seed 1

Batches of twenty mails, each batch with a ledger of its own. In every round one or two processes send the batch, and some
are killed at any moment; after the last round the server is honest and the batch is sent twice more. Then it must hold:

    no mail was taken twice; every mail that was taken is sent or unknown; every mail is in exactly one of sent, unknown and
    refused for good; what is sent was taken, or the server said so; each sender that ended told of each reader once.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import rogue_office
import trustme

from sopnb import delivery, ledger, mail, smtp_line

BATCH, ROUNDS = 20, 5
SHARE = 0.08  # of a mail's stages go wrong; see rogue_office.WEIGHT
EACH = 100  # mails to a server
KILLED = 0.5  # of rounds
TOGETHER = 0.4  # of rounds have two senders
SETTINGS = {"cycle": "2026-10", "kind": "pack", "content": "c1", "revision": 1, "day": dt.date(2026, 10, 1), "domains": ("pangan.example",)}
LISTS = ("sent", "before", "unknown", "refused", "lasting", "outside", "waiting")
FORKED = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


def letters(folder: Path, batch: int) -> list[Path]:
    made = []
    for number in range(BATCH):
        one = EmailMessage(policy=smtp_line.POLICY)
        one["Subject"], one["From"], one["To"] = f"S&OP {batch}", "sop@pangan.example", f"r{number}@pangan.example"
        one["Date"] = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
        header = {"header": {"company": f"Batch {batch}", "cycle": "2026-10"}}
        one["Message-ID"] = mail.message_id(header, kind="pack", revision=1, to=one["To"], sender="sop@pangan.example")
        one.set_content(f"Mail {number} of batch {batch}.\n" * random.Random(number).choice([1, 40, 4000]))
        made.append(one)
    return delivery.outbox(folder / "mail", made)


def patience(seconds: float) -> None:
    """How long a sender waits; the server's stalls are longer."""
    smtp_line.SECONDS = smtp_line.DOT_SECONDS = smtp_line.BODY_SECONDS = seconds


# --- the server, in a process of its own: a line it drops must not stay open in a sender ------------------------------

def _serve(authority: trustme.CA, seed: int, pipe) -> None:
    office = rogue_office.Rogue(rogue_office.at_random(seed, SHARE))
    wild = office.fault
    controller = rogue_office.serve(authority, office)
    pipe.send(office.url)
    while (word := pipe.recv()) != "stop":
        if word == "count":
            pipe.send((dict(office.took), office.said_yes, dict(office.met)))
        else:
            office.fault = (lambda stage: "") if word == "honest" else wild
            rogue_office.PATIENCE = word if isinstance(word, float) else rogue_office.PATIENCE
            pipe.send(word)
    controller.stop(no_assert=True)


def _ask(pipe, word: str | float):
    pipe.send(word)
    return pipe.recv()


# --- the senders ------------------------------------------------------------------------------------------------------

def _sender(paths: list[Path], url: str, book_url: str, report: Path) -> None:
    result = delivery.send(paths, url, ledger.Ledger(book_url), **SETTINGS)
    report.write_text(json.dumps({name: getattr(result, name) for name in LISTS}))


def told_of(report: dict[str, list[str]]) -> list[str]:
    return sorted(reader.split(" (")[0] for name in LISTS for reader in report[name])


def _round(draw: random.Random, paths: list[Path], url: str, book_url: str, folder: Path, tally: Counter) -> list[dict]:
    senders = []
    for number in range(2 if draw.random() < TOGETHER else 1):
        report = folder / f"{time.monotonic_ns()}-{number}.json"
        process = FORKED.Process(target=_sender, args=(paths, url, book_url, report))
        process.start()
        senders.append((process, report))
    if draw.random() < KILLED:
        senders[0][0].join(draw.uniform(0.02, 0.7))
        if senders[0][0].is_alive():
            os.kill(senders[0][0].pid, signal.SIGKILL)
            tally["killed"] += 1
    for process, _ in senders:
        process.join(120)
        if process.is_alive():  # a sender that hangs is a fault of its own
            process.kill()
            tally["hung"] += 1
    tally["runs"] += len(senders)
    tally["together"] += len(senders) > 1
    return [json.loads(report.read_text()) for process, report in senders if process.exitcode == 0]


def _measured(pipe, url: str, folder: Path) -> float:
    """How long a patient sender waits here: longer than an honest answer takes, on a machine that may be busy."""
    _ask(pipe, "honest")
    patience(60)
    book, began = ledger.Ledger(f"sqlite:///{(folder / 'first.sqlite').as_posix()}"), time.monotonic()
    delivery.send(letters(folder / "first", -1)[:3], url, book, **SETTINGS)
    return min(max(rogue_office.PATIENCE, 2 * (time.monotonic() - began)), 3.0)


def torture(sends: int, seed: int, folder: Path, authority: trustme.CA) -> tuple[Counter, list[str], dict]:
    """returns   what happened, counted; what must not have happened, in words; the faults that were met, by stage"""
    tally, wrong, draw = Counter(), [], random.Random(seed)
    here, there = FORKED.Pipe()
    server = FORKED.Process(target=_serve, args=(authority, seed, there), daemon=True)
    server.start()
    url, books = here.recv(), []
    try:
        quick = _measured(here, url, folder)
        for batch in range(-(-sends // BATCH)):
            place = folder / str(batch)
            paths = letters(place, batch)
            readers = sorted(delivery.reader(path) for path in paths)
            book = ledger.Ledger(f"sqlite:///{(place / 'ledger.sqlite').as_posix()}")
            patience(quick)
            _ask(here, quick)
            reports = [one for _ in range(ROUNDS) for one in _round(draw, paths, url, str(book._url), place, tally)]
            _ask(here, "honest")
            patience(60)
            for _ in range(2):
                last = delivery.send(paths, url, book, **SETTINGS)
                reports.append({name: getattr(last, name) for name in LISTS})
            wrong += [f"batch {batch}: a sender told of {told_of(one)}" for one in reports if told_of(one) != readers]
            if last.refused or last.waiting:
                wrong.append(f"batch {batch}: {last.refused}{last.waiting} {last.fault} after an honest server")
            books.append((batch, paths, book))
        took, said_yes, met = _ask(here, "count")
    finally:
        here.send("stop")
        server.join(5)
        if server.is_alive():
            server.kill()
    for batch, paths, book in books:
        known = delivery.standings(book, "2026-10", "pack")
        for path in paths:
            identity = str(delivery.head(path)["Message-ID"])
            one, times = known.get(delivery.local(path), delivery.Standing("", delivery.reader(path))), took.get(identity, 0)
            state = "unknown" if one.unknown else "refused" if one.state == "refused" and one.lasting else one.state
            tally[state] += 1
            tally["mails"] += 1
            tally["attempts"] += one.attempt
            tally["taken"] += bool(times)
            if times > 1:
                wrong.append(f"batch {batch}: {one.reader} has it {times} times")
            if times and state not in ("sent", "unknown"):
                wrong.append(f"batch {batch}: {one.reader} has it, and it counts as {state}")
            if state == "sent" and not times and identity not in said_yes:
                wrong.append(f"batch {batch}: {one.reader} counts as sent, and the server never said so")
            if state not in ("sent", "unknown", "refused"):
                wrong.append(f"batch {batch}: {one.reader} is {state or 'nowhere'}")
    if tally["hung"]:
        wrong.append(f"{tally['hung']} senders hung")
    return tally, wrong, met


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--sends", type=int, default=1000)
    given.add_argument("--seed", type=int, default=1)
    asked = given.parse_args()
    began, authority = time.monotonic(), trustme.CA(key_type=trustme.KeyType.ECDSA)
    with tempfile.TemporaryDirectory() as folder:
        authority.cert_pem.write_to_path(Path(folder) / "ca.pem")
        os.environ["SSL_CERT_FILE"] = str(Path(folder) / "ca.pem")
        tally, wrong, met = Counter(), [], Counter()
        for start in range(0, asked.sends, EACH):  # a server of its own for each part, so that none grows tired
            place = Path(folder) / f"part{start}"
            place.mkdir()
            part, more, faults = torture(min(EACH, asked.sends - start), asked.seed * 1000 + start // EACH, place, authority)
            tally.update(part)
            met.update(faults)
            wrong += more
    for (stage, fault), times in sorted(met.items()):
        print(f"  {stage:9} {fault:14} {times:5}")
    print(f"{tally['mails']} mails, {tally['attempts']} attempts by {tally['runs']} runs ({tally['together']} times two at once, {tally['killed']} killed), "
          f"{sum(met.values())} faults of the server, seed {asked.seed}, {time.monotonic() - began:.0f} s")
    print(f"taken {tally['taken']}; sent {tally['sent']}, unknown {tally['unknown']}, refused for good {tally['refused']}; "
          f"duplicates and losses nobody was told of: {len(wrong)}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    import logging
    import warnings

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.exit(main())
