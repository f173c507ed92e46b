"""What the layers of a lock do, on a laptop that is not locked: closing keeps people out, restoring gives
back exactly what was there, and everything may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.core.model import State
from agent.host.base import Host, LockLayer, Node
from agent.host.locking import login_gate
from tests.contract.subject import refused

NAMES = ("login-gate", "boot-target", "sessions", "consoles")


@dataclass(frozen=True)
class Lockable:
    """A laptop with one person, who can log in (``log_in`` says why not, "" if in) and linger."""

    host: Host
    user: str
    log_in: Callable[[], str]

    def layer(self, name: str) -> LockLayer:
        """One layer."""
        return next(layer for layer in self.host.lock_layers if layer.name == name)

    def linger(self) -> str:
        """Let the person linger; the path that says so."""
        path = f"/var/lib/systemd/linger/{self.user}"
        self.host.files.make_parents(path)
        self.host.files.write(path, Node("file", 0o644))
        return path

    def lock(self) -> dict[str, State]:
        """Close every layer; layer → what was there."""
        priors = {}
        for layer in self.host.lock_layers:
            priors[layer.name] = layer.observe()
            layer.close()
        return priors

    def unlock(self, priors: Mapping[str, State]) -> None:
        """Restore every layer, the innermost first."""
        for layer in reversed(self.host.lock_layers):
            layer.restore(priors[layer.name])


def recorded(prior: State) -> Mapping[str, State | None]:
    """Path → what was there, of a layer's prior state."""
    files = prior["files"]
    assert isinstance(files, Mapping)
    return files


def as_journaled(value: object) -> object:
    """What a journal gives back of a State: tuples have become lists."""
    if isinstance(value, Mapping):
        return {key: as_journaled(one) for key, one in value.items()}
    return [as_journaled(one) for one in value] if isinstance(value, (tuple, list)) else value


def check_the_layers_have_their_order(lockable: Lockable) -> None:
    assert tuple(layer.name for layer in lockable.host.lock_layers) == NAMES


def check_each_layer_closes_and_gives_back_what_was_there(lockable: Lockable) -> None:
    lockable.linger()
    for layer in lockable.host.lock_layers:
        assert lockable.log_in() == "", "the control: there is somebody to keep out"
        prior = layer.observe()
        assert layer.observe() == prior
        assert not layer.closed(), layer.name
        layer.close()
        assert layer.closed(), layer.name
        assert layer.observe() != prior, layer.name
        layer.restore(prior)
        assert layer.observe() == prior, layer.name


def check_each_verb_may_be_repeated(lockable: Lockable) -> None:
    for layer in lockable.host.lock_layers:
        prior = layer.observe()
        layer.close()
        once = layer.observe()
        layer.close()
        assert layer.closed() and layer.observe() == once, layer.name
        layer.restore(prior)
        layer.restore(prior)
        assert layer.observe() == prior, layer.name
        layer.close()
        assert layer.closed(), f"{layer.name}: and it can be closed again"
        layer.restore(prior)


def check_what_comes_from_a_journal_restores_as_well(lockable: Lockable) -> None:
    lockable.linger()
    for layer in lockable.host.lock_layers:
        prior = layer.observe()
        layer.close()
        journaled = as_journaled(prior)
        assert isinstance(journaled, Mapping)
        layer.restore(journaled)
        assert layer.observe() == prior, layer.name


def check_a_locked_laptop_keeps_people_out_and_then_lets_them_in(lockable: Lockable) -> None:
    assert lockable.log_in() == ""
    priors = lockable.lock()
    assert all(layer.closed() for layer in lockable.host.lock_layers)
    assert lockable.log_in() != ""
    lockable.unlock(priors)
    assert not any(layer.closed() for layer in lockable.host.lock_layers if layer.name != "sessions")
    assert lockable.log_in() == ""


def check_one_layer_alone_is_not_taken_for_a_lock(lockable: Lockable) -> None:
    """The gate, closed alone, denies; opened again, it lets in: the refusal above is not something else's."""
    gate = lockable.layer("login-gate")
    prior = gate.observe()
    gate.close()
    assert lockable.log_in() != ""
    gate.restore(prior)
    assert lockable.log_in() == ""


def check_without_its_file_the_gate_denies(lockable: Lockable) -> None:
    gate = lockable.layer("login-gate")
    prior = gate.observe()
    lockable.host.files.remove(login_gate.PATH)
    assert lockable.log_in() != ""
    assert gate.closed()
    absent = gate.observe()
    gate.close()
    gate.restore(absent)
    assert lockable.host.files.read(login_gate.PATH) is None, "absence is what was there"
    gate.restore(prior)
    assert lockable.log_in() == ""


def check_every_piece_is_needed(lockable: Lockable) -> None:
    """Of a closed layer, each file that comes back as it was, and each person, shows in `closed`."""
    files = lockable.host.files
    lingering = lockable.linger()
    for layer in lockable.host.lock_layers:
        prior = layer.observe()
        layer.close()
        for path, state in recorded(prior).items():
            if path.endswith("10-network.conf"):
                continue  # what the locked laptop needs for itself
            closed = files.read(path)
            if state is None:
                files.remove(path)
            else:
                layer.restore(prior)
            assert not layer.closed(), f"{layer.name}: {path}"
            if closed is not None:
                files.write(path, closed)
            layer.close()
            assert layer.closed(), f"{layer.name}: and it can be mended: {path}"
        layer.restore(prior)
    sessions = lockable.layer("sessions")
    sessions.close()
    assert files.read(lingering) is None
    assert lockable.log_in() == ""
    assert not sessions.closed(), "somebody is there again"
    sessions.close()
    assert sessions.closed()
    files.remove(lingering)


def check_strange_things_come_back_exactly(lockable: Lockable) -> None:
    """What somebody else had put at our places: another mode, owner, attribute, a link."""
    files = lockable.host.files
    strange = {
        login_gate.PATH: Node("file", 0o640, "root", "adm", b"+ : ALL : ALL\n# theirs", ()),
        "/etc/systemd/logind.conf.d/90-bookbag-lock.conf": Node(
            "file", 0o600, content=b"[Login]\nNAutoVTs=3\n", xattrs=(("user.note", b"theirs"),)
        ),
        "/etc/systemd/system/ctrl-alt-del.target": Node(
            "symlink", 0o777, content=b"/usr/lib/systemd/system/reboot.target"
        ),
        "/etc/sysctl.d/99-zz-bookbag-lock.conf": Node("symlink", 0o777, content=b"/dev/null"),
    }
    before = {layer.name: layer.observe() for layer in lockable.host.lock_layers}
    for path, node in strange.items():
        files.make_parents(path)
        files.write(path, node)
    priors = lockable.lock()
    assert all(layer.closed() for layer in lockable.host.lock_layers)
    assert not [path for path, node in strange.items() if files.read(path) == node]
    lockable.unlock(priors)
    assert {path: files.read(path) for path in strange} == strange
    lockable.unlock(before)


def check_a_record_that_is_none_is_refused_and_nothing_changes(lockable: Lockable) -> None:
    for layer in lockable.host.lock_layers:
        prior = layer.observe()
        layer.close()
        closed = layer.observe()
        wrongs: tuple[State, ...] = ({}, {**prior, "files": "x"}, {**prior, "files": {"/etc/motd": 7}})
        for wrong in (*wrongs, {"files": {}}):
            refused("state-corrupt", layer.restore, wrong)
        assert layer.closed() and layer.observe() == closed, layer.name
        layer.restore(prior)
