"""What whoever is about to sign sees and opens, before the folder is held: nobody else, such as a teacher who
starts a session, waits while somebody looks for a passphrase."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context
from agent.fleet.cli.outcomes import show_trust
from agent.fleet.folder import Folder
from agent.fleet.keyring import Keyring
from agent.fleet.trustchange import trust_changes
from agent.fleet.wanted import Wanted, read_wanted


def opened(context: Context, wanted: Wanted) -> Keyring:
    """Tell whom laptops would trust differently, then open the keys of the persons of the command line.

    Raises ``bad-key``, ``not-found``: a wrong passphrase is met before anything is changed.
    """
    show_trust(context.console, trust_changes(context.folder, wanted))
    keyring = context.keyring()
    for person in context.args.persons:
        keyring.person(person)
    return keyring


def require_same(folder: Folder, wanted: Wanted) -> None:
    """Raises ``plan-outdated`` if the folder, held by now, does not ask for what was looked at."""
    if read_wanted(folder) != wanted:
        raise BookbagError(
            "plan-outdated",
            "cannot sign: the folder was changed while it was looked at",
            place=str(folder.root),
            remedy="look at what changed, and give the command again",
        )
