"""What follows a run: the pack is mailed once, a red verdict holds it, the owner hears of failures, no secret leaves."""

from __future__ import annotations

import email
import email.policy
import json

import pytest
from post_office import AS_IN_AN_ADDRESS, PASSWORD, USER
from tiny import ORDERS, PEOPLE, WORK, add, events, here, write_notebook

from sopnb import kernels, ledger, run, smtp_line
from sopnb.problems import Problems

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

MONTH = "reports/tiny/2026-03"


def pack(**options) -> run.Outcome:
    """A run with its pack, in this interpreter: pages of the steps need kernels, the front page and the mail do not."""
    return here(pages=True, **options)


@pytest.fixture
def mailed(peopled, office, monkeypatch):
    """The project sends after each run."""
    monkeypatch.setenv("TINY_SMTP", office.url)
    add(peopled, "as_of: 2026-03-05\nmail: {send: after_run, smtp: 'env:TINY_SMTP', sender: plan@tiny.example}\n")
    return peopled


def whole(message) -> str:
    """All text of a mail, what is attached included."""
    return "".join(part.get_content() for part in message.walk() if part.get_content_maintype() == "text")


def eml(project):
    return [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in sorted((project / MONTH / "mail").glob("*.eml"))]


# --- files ----------------------------------------------------------------------------------------------------------

def test_without_smtp_settings_mails_are_files_and_it_says_so(peopled):
    outcome = pack()
    assert outcome.notes == ["2 mails written as .eml files to reports/tiny/2026-03/mail/; no SMTP settings (mail: smtp:), so nothing was sent."]
    ann, bob = eml(peopled)
    assert [one["To"] for one in (ann, bob)] == ["Ann <ann@tiny.example>", "Bob <bob@tiny.example>"]
    assert ann["Reply-To"] == "owner@tiny.example" and "March 2026" in ann["Subject"]
    assert [part.get_filename() for part in ann.iter_attachments()] == ["sop-tiny-2026-03.html"]
    assert ann.get_body(("plain",)).get_content().startswith("Tiny, ")
    assert (outcome.code, pack().notes) == (run.OK, []), "nothing to do, nothing to say"


def test_the_mail_tells_what_the_front_page_tells(peopled):
    pack()
    headline = eml(peopled)[0]["Subject"].split(": ", 1)[1]
    assert headline in (peopled / MONTH / "index.html").read_text()


def test_nothing_is_attached_where_the_params_file_says_so(peopled):
    pack()
    add(peopled, "mail: {attach: none, reports_url: 'https://reports.tiny.example/2026-03'}\n")
    assert pack().done == {}, "the steps are not run again for it"
    ann = eml(peopled)[0]
    assert not list(ann.iter_attachments()) and "https://reports.tiny.example/2026-03" in ann.get_body(("plain",)).get_content()


def test_a_company_without_readers_has_no_mail(tiny):
    assert pack().notes == [] and not (tiny / MONTH / "mail").exists()


def test_who_has_no_usable_address_is_named(peopled):
    (peopled / "data/tiny/2026-03/people.csv").write_text(PEOPLE.replace("bob@tiny.example", "bob"))
    outcome = pack()
    assert outcome.notes[0].startswith("No mail for p2: 'bob' is not a mail address") and len(eml(peopled)) == 1


# --- sent -----------------------------------------------------------------------------------------------------------

def test_a_run_sends_once(mailed, office):
    outcome = pack()
    assert outcome.code == run.OK and outcome.notes == ["2 mails sent; copies in reports/tiny/2026-03/mail/."]
    assert sorted(office.readers) == ["ann@tiny.example", "bob@tiny.example"]
    assert events(mailed)[-2]["event"] == "mailed"
    for again in ({}, {"force": True}, {"through": "02"}):
        assert pack(**again).notes == []
    assert len(office.taken) == 2


def test_sending_leaves_nothing_to_do(mailed, office):
    """The delivery is in the ledger that 04 and 05 read: it must not make them run again."""
    pack()
    assert pack().done == {}


def test_a_backfill_sends_nothing(mailed, office):
    assert here().notes == [] and not office.taken


def test_the_recap_leaves_the_packs_mails_alone(mailed, office):
    pack()
    before = [one.as_bytes() for one in eml(mailed)]
    here(pages=True, recap=True)
    assert [one.as_bytes() for one in eml(mailed)] == before and len(office.taken) == 2
    assert pack().notes == [] and len(office.taken) == 2


def test_changed_figures_go_out_as_revision_2(mailed, office):
    pack()
    (mailed / "data/tiny/2026-03/orders.csv").write_text(ORDERS.replace("2026-02-11,5", "2026-02-11,50"))
    assert pack().notes == ["2 mails sent (revision 2); copies in reports/tiny/2026-03/mail/."]
    assert ["revision 2" in one["Subject"] for one in office.mails] == [False, False, True, True]
    assert pack(force=True).notes == [] and len(office.taken) == 4


def test_a_new_colleague_is_no_revision_for_the_others(mailed, office):
    pack()
    (mailed / "data/tiny/2026-03/people.csv").write_text(PEOPLE + "p3,Cai,Sales,cai@tiny.example,False,,en,pack\n")
    assert pack().notes == ["1 mail sent; copies in reports/tiny/2026-03/mail/."]
    assert office.readers[2:] == ["cai@tiny.example"]


def test_a_server_that_was_down_gets_the_mail_at_the_next_run(mailed, office, sopnb, monkeypatch):
    monkeypatch.setenv("TINY_SMTP", "smtps://localhost:1")
    first = pack()
    assert first.code == run.UNSENT and "No line to localhost" in first.notes[0] and (mailed / MONTH / "index.html").is_file()
    monkeypatch.setenv("TINY_SMTP", office.url)
    second = pack()
    assert second.done == {} and second.code == run.OK and second.notes == ["2 mails sent; copies in reports/tiny/2026-03/mail/."]


def test_a_refused_reader_shows_in_the_exit_code(mailed, office):
    office.refuse = {"bob@tiny.example"}
    outcome = pack()
    assert outcome.code == run.UNSENT and office.readers == ["ann@tiny.example", "owner@tiny.example"]
    assert any("refused by the server for good: bob@tiny.example (550 no such person here)" in note for note in outcome.notes)
    assert outcome.notes[-1] == "owner@tiny.example was told by mail."
    told = office.mails[-1]
    assert told["Subject"] == "S&OP 2026-03, Tiny: a mail did not leave" and "bob@tiny.example (550" in told.get_body().get_content()
    assert pack().code == run.UNSENT and len(office.taken) == 2, "said at every run; the owner hears of it once"


def test_a_crash_after_the_servers_yes_sends_nothing_twice(mailed, office, monkeypatch):
    class PowerCut(BaseException):
        pass

    def cut(self, given, **settings):
        if next(iter(given))["payload"].get("state") == "sent":
            raise PowerCut
        return record(self, given, **settings)

    record = ledger.Ledger.record
    with monkeypatch.context() as power, pytest.raises(PowerCut):
        power.setattr(ledger.Ledger, "record", cut)
        pack()
    outcome = pack()
    assert office.readers == ["ann@tiny.example", "bob@tiny.example", "owner@tiny.example"], "Ann once; Bob, whose mail nobody had begun to send"
    assert outcome.code == run.UNSENT and any("Unknown whether it arrived: ann@tiny.example. Not sent again" in note for note in outcome.notes)
    assert "Unknown whether it arrived: ann@tiny.example" in office.mails[-1].get_body().get_content(), "the owner hears"


@pytest.mark.parametrize(("settings", "wrong"), [
    ("{send: after_run}", "mail.smtp: is missing"),
    ("{send: after_run, smtp: 'env:TINY_NOWHERE', sender: a@b.example}", "the environment has no TINY_NOWHERE"),
    ("{send: after_run, smtp: 'env:TINY_SMTP', sender: a@b.example}", "the value of TINY_SMTP cannot be used"),
    ("{send: {days_before: 2}, smtp: 'env:TINY_SMTP', sender: 'a@b.example@c.example'}", "mail.sender: 'a@b.example@c.example' is no plain address"),
    ("{send: after_run, smtp: 'env:TINY_SMTP', sender: a@b.example, domains: [b.example]}", "owner: 'owner@tiny.example' would hear of no failure: its domain is none of b.example"),
])
def test_settings_that_cannot_send_are_refused_before_anything_runs(peopled, monkeypatch, settings, wrong):
    monkeypatch.setenv("TINY_SMTP", "mail.example:25")
    add(peopled, f"mail: {settings}\n")
    with pytest.raises(Problems) as refused:
        pack()
    assert wrong in str(refused.value) and not (peopled / MONTH).exists()


def test_a_password_in_the_params_file_is_refused_and_not_repeated(tiny):
    add(tiny, "mail: {smtp: 'smtps://u:hunter22@mail.example'}\n")
    with pytest.raises(Problems, match="must be a reference to the environment") as refused:
        pack()
    assert "hunter22" not in str(refused.value)


# --- held -----------------------------------------------------------------------------------------------------------

RED = ("c.save(findings=frames.typed(pd.DataFrame([{'id': 'F1', 'source': 'orders', 'rule': 'findings.unknown_item', 'severity': 'red', 'rows': 1, "
       "'of_rows': 3, 'values': '{\"source\": \"orders\", \"rows\": 1, \"amount\": 2.5, \"first\": \"3\"}'}]), frames.FINDINGS))")


def test_a_red_verdict_holds_the_mail_until_somebody_answers_for_it(mailed, office, sopnb):
    write_notebook(mailed / "notebooks/01_collect.ipynb", [*WORK["01_collect"], RED])
    outcome = pack()
    assert outcome.code == run.RED and not office.taken and not (mailed / MONTH / "mail").exists()
    assert (mailed / MONTH / "pack.html").is_file(), "the pack is built: somebody must look at it"
    assert outcome.notes[0].startswith("Mail held, the data verdict is red: orders (unknown_item).")
    waiver = "{rule: unknown_item, source: orders, cycle: 2026-03, owner: NAME, reason: WHY}"
    assert waiver in outcome.notes[0] and "tiny.yaml" in outcome.notes[0]
    assert pack().notes == outcome.notes, "said at every run until it is answered"
    add(mailed, f"quality: {{waive: [{waiver}]}}\n")
    assert (pack().code, len(office.taken)) == (run.OK, 2)


# --- the owner ------------------------------------------------------------------------------------------------------

def test_the_owner_hears_by_mail_what_failed_where_and_what_to_do(mailed, office, sopnb):
    write_notebook(mailed / "notebooks/03_supply.ipynb", ["x = 1", "c.read('nothing_like_it')"])
    with pytest.raises(kernels.StepFailed) as failed:
        pack()
    assert failed.value.__notes__ == ["owner@tiny.example was told by mail."]
    told = office.mails[0]
    assert office.readers == ["owner@tiny.example"] and told["Subject"] == "S&OP 2026-03, Tiny: the run stopped at 03_supply.ipynb"
    text = told.get_body().get_content()
    for word in ("03_supply.ipynb, cell 4", "NotRunYet: `nothing_like_it`", "Remedy: Run the earlier steps first.", "sopnb run params/tiny.yaml --cycle 2026-03"):
        assert word in text
    log = next(told.iter_attachments())
    assert log.get_filename() == "log.txt" and "run_failed" in log.get_content() and "step=03_supply.ipynb" in log.get_content()
    assert text.replace("\r\n", "\n") == next((mailed / "reports/tiny/.runs").glob("*/failure.txt")).read_text()


def test_the_owner_may_be_a_person_of_people(mailed, office):
    pack()
    params = mailed / "params/tiny.yaml"
    params.write_text(params.read_text().replace("owner: owner@tiny.example", "owner: p2"))
    (mailed / "data/tiny/2026-03/items.csv").unlink()
    with pytest.raises(Problems) as refused:
        pack()
    assert refused.value.__notes__ == ["bob@tiny.example was told by mail."]
    assert "items" in office.mails[-1].get_body().get_content()


def test_without_smtp_settings_the_owners_message_is_a_file_and_it_says_so(peopled, sopnb):
    (peopled / "data/tiny/2026-03/items.csv").unlink()
    said = sopnb("run", "params/tiny.yaml", "--no-pages")
    path = peopled / "reports/tiny/.runs/2026-03-refused.txt"
    assert said.code == run.BAD_INPUT and "The message for the owner is in reports/tiny/.runs/2026-03-refused.txt." in said.err
    assert "items.csv" in path.read_text()
    (peopled / "data/tiny/2026-03/items.csv").write_text("item,name,family,unit_cost\nA,Apple,Fruit,1\nB,Bean,Pulses,0.5\n")
    here()
    assert not path.exists(), "mended: the refusal no longer stands"


def test_the_owners_mail_too_goes_only_to_declared_domains(peopled, office, monkeypatch):
    """The owner is a person of `people`, whose address somebody changed."""
    monkeypatch.setenv("TINY_SMTP", office.url)
    (peopled / "data/tiny/2026-03/people.csv").write_text(PEOPLE.replace("bob@tiny.example", "bob@evil.example"))
    add(peopled, "as_of: 2026-03-05\nmail: {send: never, smtp: 'env:TINY_SMTP', sender: plan@tiny.example, domains: [tiny.example]}\n")
    pack()
    params = peopled / "params/tiny.yaml"
    params.write_text(params.read_text().replace("owner: owner@tiny.example", "owner: p2"))
    (peopled / "data/tiny/2026-03/items.csv").unlink()
    with pytest.raises(Problems) as refused:
        pack()
    assert refused.value.__notes__[0].startswith("The mail to bob@evil.example did not leave (its domain is none of tiny.example).") and not office.taken


def test_a_server_that_is_down_does_not_hide_the_failure(mailed, monkeypatch, sopnb):
    monkeypatch.setenv("TINY_SMTP", f"smtps://{USER}:{AS_IN_AN_ADDRESS}@localhost:1")
    write_notebook(mailed / "notebooks/01_collect.ipynb", ["1 / 0"])
    with pytest.raises(kernels.StepFailed, match="ZeroDivisionError") as failed:
        pack()
    assert "did not leave" in failed.value.__notes__[0] and "failure.txt" in failed.value.__notes__[0] and "s3cret" not in failed.value.__notes__[0]


# --- secrets --------------------------------------------------------------------------------------------------------

def everything(project) -> str:
    """All text the run left behind, mails read as their readers read them."""
    texts = [p.read_text(errors="replace") for p in project.rglob("*") if p.is_file() and p.suffix in (".jsonl", ".txt", ".html", ".owner")]
    texts += [json.dumps(json.loads(p.read_text()), ensure_ascii=False) for p in (project / "reports").rglob("*.ipynb")]
    return "\n".join(texts)


FORMS = (PASSWORD, AS_IN_AN_ADDRESS, "s3cret/pass&amp;word")


@pytest.mark.parametrize("in_kernel", [False, True])
def test_no_secret_leaves_whatever_a_cell_does_with_it(mailed, office, capfd, in_kernel):
    """A driver that repeats its address in an error, a cell that prints the password, HTML that shows it."""
    shows = ("import os\nfrom urllib.parse import unquote, urlsplit\nurl = os.environ['TINY_SMTP']\nprint('connecting to', url)\n"
             "print(unquote(urlsplit(url).password))")
    html = "import html\nfrom IPython.display import HTML\nHTML(html.escape(unquote(urlsplit(url).password)))"
    write_notebook(mailed / "notebooks/01_collect.ipynb", [shows, html, "raise ValueError(f'no line to {url}')"])
    with pytest.raises(kernels.StepFailed) as failed:
        run.run("params/tiny.yaml", in_kernel=in_kernel, through="01")
    left = everything(mailed) + "".join(capfd.readouterr()) + str(failed.value) + failed.value.trace + whole(office.mails[0])
    assert "no line to [env:TINY_SMTP]" in left, "told, without the secret"
    assert not [form for form in FORMS if form in left]
    assert not in_kernel or "connecting to [env:TINY_SMTP]" in everything(mailed)


def test_no_secret_leaves_by_an_unexpected_fault(mailed, office, sopnb, monkeypatch):
    def fault(*_arguments, **_settings):
        raise RuntimeError(f"driver says: {office.url}")

    monkeypatch.setattr(run, "_build", fault)
    said = sopnb("run", "params/tiny.yaml")
    assert said.code == run.UNEXPECTED and "driver says: [env:TINY_SMTP]" in said.err
    assert not [form for form in FORMS if form in said.text + everything(mailed) + whole(office.mails[0])]
    assert smtp_line.address("env:TINY_SMTP") == office.url
