"""What every verb gets: its arguments, the console, the clock, IT's folder, and keys when it asks for
them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from agent.fleet.cli.console import Console
from agent.fleet.folder import Folder, find_folder
from agent.fleet.keyring import Keyring
from agent.fleet.passphrases import Passphrases

FOLDER_VARIABLE = "BOOKBAG_FOLDER"
KEYS_VARIABLE = "BOOKBAG_KEYS"


def add_common(parser: argparse.ArgumentParser, *, inner: bool = False) -> None:
    """The options that every verb has. ``inner``: on a sub-verb too, where leaving one out must not undo
    the outer one."""
    parser.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS if inner else False,
        help="print one JSON object instead of text",
    )
    parser.add_argument(
        "-C",
        "--folder",
        metavar="DIR",
        default=argparse.SUPPRESS if inner else None,
        help="IT's folder (default: $BOOKBAG_FOLDER, else the nearest one around the current directory)",
    )


def add_signing(parser: argparse.ArgumentParser, *, inner: bool = False) -> None:
    """The options of verbs that use persons' keys. ``inner``: as of `add_common`."""
    group = parser.add_argument_group("signing")
    group.add_argument(
        "--as",
        dest="persons",
        metavar="PERSON",
        action="append",
        default=argparse.SUPPRESS if inner else [],
        help="sign as this person; may be given more than once",
    )
    add_passphrase(group, inner=inner)


def add_passphrase(group: argparse._ActionsContainer, *, inner: bool = False) -> None:
    """Where keys and passphrases are found."""
    nothing: object = argparse.SUPPRESS if inner else []
    group.add_argument(
        "--keys",
        metavar="DIR",
        action="append",
        default=nothing,
        help="look for private keys here too, such as on a person's own stick (also $BOOKBAG_KEYS)",
    )
    group.add_argument(
        "--passphrase-file",
        metavar="[PERSON=]FILE",
        action="append",
        default=nothing,
        help="read the passphrase from a file's first line (else: $BOOKBAG_PASSPHRASE, else it is asked for)",
    )


class Context:
    """One run of one verb."""

    def __init__(self, args: argparse.Namespace, console: Console, now: Callable[[], int] | None) -> None:
        self.args = args
        self.console = console
        self._now = now
        self._folder: Folder | None = None
        self._passphrases: Passphrases | None = None

    def now(self) -> int:
        """The desk's clock, unix seconds: signing trusts it, as a person at the desk would."""
        if self._now is None:
            from agent.host.linux.clock import LinuxClock

            self._now = LinuxClock().wall
        return self._now()

    @property
    def folder(self) -> Folder:
        """IT's folder. Raises ``not-found``."""
        if self._folder is None:
            self._folder = find_folder(self.args.folder, environ=os.environ.get(FOLDER_VARIABLE))
        return self._folder

    @property
    def passphrases(self) -> Passphrases:
        """Passphrases as the command line says."""
        if self._passphrases is None:
            self._passphrases = Passphrases(self.args.passphrase_file, warn=self.console.warn)
        return self._passphrases

    def keyring(self, folder: Folder | None = None) -> Keyring:
        """Private keys."""
        places = [*self.args.keys, *filter(None, [os.environ.get(KEYS_VARIABLE)])]
        return Keyring(folder or self.folder, self.passphrases, elsewhere=[Path(one) for one in places])
