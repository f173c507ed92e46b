"""What the ask worker does for the shelf: take what people chose, keep it, and say how everything stands.

Whoever asks is the kernel's word: at the control socket the caller's uid, in the portal that of a connection.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from agent.commands.choosing import ROOT, Choosing
from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.daemon import choosing, snapshots, wiring
from agent.daemon.enforced import compiled_path
from agent.daemon.worker import Context
from agent.policy import compiled as cache
from agent.policy.choosing import Chosen
from agent.portal.people import Who, is_person
from agent.portal.programs import CANNOT, COMING, GOING, Programs
from agent.trust.choices import Choice, choice_bytes

LIST, INSTALL, REMOVE = "list", "install", "remove"
OPS = (LIST, INSTALL, REMOVE)
VERSION = 1
AGAIN = 600  #: seconds until what waits is looked at once more


@dataclass(frozen=True, slots=True)
class Taken:
    """``digest`` tells one set of choices from another. ``again``: seconds until somebody's turn; 0: nobody
    waits."""

    digest: str
    again: int


def take(context: Context, at: int) -> Taken:
    """Take what the portal left, at trusted time ``at``. What was refused is logged, and holds nothing up."""
    book, problems = _opened(context, at)
    book.take()
    for problem in (*problems, *book.trouble):
        context.log("warning", f"a choice: {problem}")
    return Taken(_told(context, book), AGAIN if book.waits else 0)


def run(context: Context, op: str, at: int) -> int:
    """``op`` of `OPS` for the user ``uid``, about the program ``name``."""
    uid, name = context.whole("uid"), context.text("name", "")
    owner = context.request.get("root") is True
    digest = ""
    if op != LIST:
        if not owner and not is_person(uid):
            raise BookbagError(
                "not-allowed",
                f"cannot choose as user {uid}: that is no person's account",
                remedy="sign in as one",
            )
        taken = take(context, at)
        book, _ = _opened(context, at)
        person = ROOT if owner and op == REMOVE else str(uid)
        choice = Choice(str(uid), name, op == INSTALL)
        choice_bytes(choice)
        book.choose(Choice(person, name, op == INSTALL))
        digest = _told(context, book) or taken.digest
    found = Programs(context.layout.asks).of(Who(str(uid)) if owner or is_person(uid) else Who())
    shown = [asdict(one) for one in found if op == LIST or one.name == name]
    context.result({"programs": shown, **({"choice": digest} if op != LIST else {})})
    states = {one.state for one in found if one.mine or one.state == GOING}
    if op != LIST:
        return exit_codes.IN_SYNC
    code = exit_codes.CHANGED if states & {COMING, GOING} else exit_codes.IN_SYNC
    return code | (exit_codes.FAILED if CANNOT in states else 0)


def _opened(context: Context, at: int) -> tuple[Choosing, list[BookbagError]]:
    layout = context.layout
    problems: list[BookbagError] = []
    try:
        compiled = cache.load(compiled_path(layout))
    except BookbagError as problem:
        compiled = None
        problems.append(problem)
    identity = wiring.identity_of(layout)
    book = Choosing(
        wiring.choices_path(layout),
        f"{layout.asks}/in",
        identity.id if identity else "",
        choosing.offered(compiled),
        choosing.taken_in(compiled).rows,
        at,
    )
    return book, problems


def _told(context: Context, book: Choosing) -> str:
    """``chosen.json``, for the portal alone; what tells these choices from others."""
    rows = [{"name": name, "persons": list(persons)} for name, persons in book.rows]
    layout = context.layout
    try:
        snapshots.tell_portal(layout, f"{layout.asks}/chosen.json", {"v": VERSION, "chosen": rows})
    except (OSError, BookbagError) as problem:
        context.log("warning", f"cannot tell the portal what is chosen: {problem}")
    return Chosen(book.rows).digest
