"""What dconf does: the simulated one must decide as the real one, so these run over both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.host.base import Dconf, Files, Node
from tests.contract.subject import refused

KEY = "/org/gnome/desktop/session/idle-delay"
OTHER = "/org/gnome/desktop/session/session-name"
PROFILE = "/etc/dconf/profile/user"
DATABASE = "bookbag-test"


@dataclass(frozen=True)
class Desktop:
    """A machine without dconf settings; ``own(keyfile)`` makes those that the user has chosen himself."""

    dconf: Dconf
    files: Files
    user: str
    own: Callable[[str], None]

    def put(self, path: str, text: str) -> None:
        """Write a configuration file."""
        self.files.make_parents(path)
        self.files.write(path, Node("file", 0o644, content=text.encode()))

    def profile(self, *databases: str) -> None:
        """The user's own settings first, then these databases."""
        self.put(PROFILE, "user-db:user\n" + "".join(f"system-db:{name}\n" for name in databases))

    def keys(self, text: str, *, database: str = DATABASE, name: str = "10-keys") -> None:
        """A key file of a database."""
        self.put(f"/etc/dconf/db/{database}.d/{name}", text)

    def locks(self, *keys: str, database: str = DATABASE) -> None:
        """The locks of a database."""
        self.put(f"/etc/dconf/db/{database}.d/locks/10-locks", "".join(f"{key}\n" for key in keys))

    def get(self, key: str = KEY) -> str | None:
        """What the user gets."""
        return self.dconf.effective(self.user, key)

    def untouched(self, key: str = KEY) -> str | None:
        """What the user would get without choosing."""
        return self.dconf.default(self.user, key)

    def may(self, *keys: str) -> bool:
        """Whether the user could change it, or one of them."""
        return self.dconf.writable(self.user, *(keys or (KEY,)))


def delay(seconds: int) -> str:
    """A key file that sets KEY."""
    return f"[org/gnome/desktop/session]\nidle-delay=uint32 {seconds}\n"


def check_without_settings_nothing_is_set(desktop: Desktop) -> None:
    assert desktop.get() is None
    assert desktop.may()


def check_a_locked_value_is_forced(desktop: Desktop) -> None:
    desktop.own(delay(9))
    assert (desktop.get(), desktop.may()) == ("uint32 9", True), "the control: his own counts"
    desktop.profile(DATABASE)
    desktop.keys(delay(600))
    desktop.locks(KEY)
    desktop.dconf.compile(DATABASE)
    assert (desktop.get(), desktop.may()) == ("uint32 600", False)
    assert (desktop.get(OTHER), desktop.may(OTHER)) == (None, True), "only what is locked is"


def check_many_keys_are_one_question(desktop: Desktop) -> None:
    far, near = "/org/gnome/shell/far", "/org/gnome/desktop/session-near"
    desktop.profile(DATABASE)
    desktop.keys(delay(600))
    desktop.locks(KEY, far)
    desktop.dconf.compile(DATABASE)
    assert not desktop.may(KEY, far)
    assert desktop.may(KEY, far, near) and desktop.may(near, KEY) and desktop.may(OTHER, KEY)
    desktop.locks(KEY, far, near)
    desktop.dconf.compile(DATABASE)
    assert not desktop.may(KEY, far, near)
    desktop.put(PROFILE, f"system-db:{DATABASE}\n")
    assert not desktop.may(KEY, OTHER)


def check_a_value_without_a_lock_is_a_default(desktop: Desktop) -> None:
    desktop.profile(DATABASE)
    desktop.keys(delay(600))
    desktop.dconf.compile(DATABASE)
    assert (desktop.get(), desktop.may()) == ("uint32 600", True)
    desktop.own(delay(9))
    assert desktop.get() == "uint32 9"


def check_the_default_is_what_counts_without_the_users_own(desktop: Desktop) -> None:
    desktop.own(delay(9))
    assert (desktop.get(), desktop.untouched()) == ("uint32 9", None)
    for name, seconds in (("one", 1), ("two", 2)):
        desktop.keys(delay(seconds), database=f"{DATABASE}-{name}")
        desktop.dconf.compile(f"{DATABASE}-{name}")
    desktop.profile(f"{DATABASE}-one", f"{DATABASE}-two")
    assert (desktop.get(), desktop.untouched(), desktop.untouched(OTHER)) == ("uint32 9", "uint32 1", None)
    desktop.locks(KEY, database=f"{DATABASE}-two")
    desktop.dconf.compile(f"{DATABASE}-two")
    assert (desktop.get(), desktop.untouched()) == ("uint32 2", "uint32 2"), "a lock counts here too"
    desktop.put(PROFILE, f"system-db:{DATABASE}-one\nsystem-db:{DATABASE}-two\n")
    assert desktop.untouched() == "uint32 2"
    desktop.put(PROFILE, f"system-db:{DATABASE}-one\n")
    assert desktop.untouched() == "uint32 1", "the first database, if nothing is left to the user"


def check_nothing_counts_before_it_is_compiled(desktop: Desktop) -> None:
    desktop.profile(DATABASE)
    desktop.keys(delay(600))
    desktop.locks(KEY)
    assert (desktop.get(), desktop.may()) == (None, True)
    desktop.dconf.compile(DATABASE)
    desktop.keys(delay(60))
    assert desktop.get() == "uint32 600"
    desktop.dconf.compile(DATABASE)
    assert desktop.get() == "uint32 60"


def check_nothing_counts_without_a_profile(desktop: Desktop) -> None:
    desktop.keys(delay(600))
    desktop.locks(KEY)
    desktop.dconf.compile(DATABASE)
    assert (desktop.get(), desktop.may()) == (None, True), "written but not effective"
    desktop.profile("another")
    assert desktop.get() is None
    desktop.profile(DATABASE)
    assert desktop.get() == "uint32 600"


def check_a_profile_may_leave_nothing_to_the_user(desktop: Desktop) -> None:
    desktop.own(delay(9))
    desktop.keys(delay(600))
    desktop.dconf.compile(DATABASE)
    desktop.put(PROFILE, f"# the school's\n\nsystem-db:{DATABASE}   # and nobody else's\n")
    assert (desktop.get(), desktop.may()) == ("uint32 600", False)
    desktop.put(PROFILE, "nonsense\n")
    assert (desktop.get(), desktop.may()) == (None, False)


def check_databases_have_an_order(desktop: Desktop) -> None:
    for name, seconds in (("one", 1), ("two", 2)):
        desktop.keys(delay(seconds), database=f"{DATABASE}-{name}")
        desktop.dconf.compile(f"{DATABASE}-{name}")
    desktop.profile(f"{DATABASE}-one", f"{DATABASE}-two")
    assert desktop.get() == "uint32 1"
    desktop.profile(f"{DATABASE}-two", f"{DATABASE}-one")
    assert desktop.get() == "uint32 2"
    desktop.locks(KEY, database=f"{DATABASE}-one")
    desktop.dconf.compile(f"{DATABASE}-one")
    assert desktop.get() == "uint32 1", "a lock hides what stands before it"
    desktop.locks(KEY, database=f"{DATABASE}-two")
    desktop.dconf.compile(f"{DATABASE}-two")
    assert desktop.get() == "uint32 1", "the last lock decides"


def check_a_lock_without_a_value_hides_the_users_own(desktop: Desktop) -> None:
    desktop.own(delay(9))
    desktop.profile(DATABASE)
    desktop.keys("[org/gnome]\nother=true\n")
    desktop.locks(KEY, "not a key", "# comment")
    desktop.dconf.compile(DATABASE)
    assert (desktop.get(), desktop.may()) == (None, False)


def check_later_key_files_win_and_hidden_ones_are_skipped(desktop: Desktop) -> None:
    desktop.profile(DATABASE)
    desktop.keys(delay(10), name="10-first")
    desktop.keys(delay(20), name="20-second")
    desktop.keys(delay(30), name=".30-hidden")
    desktop.put(f"/etc/dconf/db/{DATABASE}.d/locks/.hidden", f"{KEY}\n")
    desktop.dconf.compile(DATABASE)
    assert (desktop.get(), desktop.may()) == ("uint32 20", True)


def check_texts_and_lists_come_back_as_written(desktop: Desktop) -> None:
    desktop.profile(DATABASE)
    desktop.keys(
        "[a/b]\ntext='ä \"quoted\" = [x]'\nlist=['one', 'two']\n# comment\n\n  spaced =  true  \n[/]\ntop=1\n"
    )
    desktop.dconf.compile(DATABASE)
    assert desktop.get("/a/b/text") == "'ä \"quoted\" = [x]'"
    assert desktop.get("/a/b/list") == "['one', 'two']"
    assert desktop.get("/a/b/spaced") == "true"


def check_a_database_goes_with_its_key_files(desktop: Desktop) -> None:
    desktop.profile(DATABASE)
    desktop.keys(delay(600))
    desktop.locks(KEY)
    desktop.dconf.compile(DATABASE)
    assert not desktop.may()
    directory = f"/etc/dconf/db/{DATABASE}.d"
    desktop.files.remove(f"{directory}/10-keys")
    desktop.files.remove(f"{directory}/locks/10-locks")
    desktop.files.remove_empty([directory, f"{directory}/locks"])
    desktop.dconf.compile(DATABASE)
    assert (desktop.get(), desktop.may()) == (None, True)
    assert desktop.files.read(f"/etc/dconf/db/{DATABASE}") is None
    desktop.dconf.compile(DATABASE)


def check_a_broken_key_file_is_an_error_and_the_last_good_stays(desktop: Desktop) -> None:
    desktop.profile(DATABASE)
    desktop.keys(delay(600))
    desktop.dconf.compile(DATABASE)
    for broken in ("no group=1\n", "[org/gnome]\nno equals sign\n"):
        desktop.keys(broken, name="20-broken")
        error = refused("not-effective", desktop.dconf.compile, DATABASE)
        assert f"{DATABASE}.d" in str(error)
        assert desktop.get() == "uint32 600"


def check_what_is_no_key_user_or_database_is_refused(desktop: Desktop) -> None:
    for key in ("", "relative/key", "/directory/", "/a//b", "--help"):
        refused("bad-argument", desktop.dconf.effective, desktop.user, key)
        refused("bad-argument", desktop.dconf.default, desktop.user, key)
        refused("bad-argument", desktop.dconf.writable, desktop.user, key)
    for user in ("", "no-such-person", "-rf"):
        refused("not-found", desktop.dconf.effective, user, KEY)
        refused("not-found", desktop.dconf.default, user, KEY)
        refused("not-found", desktop.dconf.writable, user, KEY)
    for database in ("", "../x", "a/b", ".", "x.d"):
        refused("bad-argument", desktop.dconf.compile, database)
