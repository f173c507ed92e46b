"""What files do: plain use, and each thing that may lie where a file should."""

from __future__ import annotations

import os
import socket
import stat
from functools import partial

from agent.host.base import Node
from tests.contract.subject import Subject, get, leftovers, need_root, open_descriptors, put, refused


def node(subject: Subject, content: bytes = b"wanted\n", mode: int = 0o644) -> Node:
    """A file that any process may make."""
    owner, group = subject.me()
    return Node("file", mode, owner, group, content)


def check_nothing_reads_as_none(subject: Subject) -> None:
    assert subject.files.read(subject.at("absent")) is None
    assert subject.files.read(subject.at("absent/below/it")) is None
    assert subject.files.names(subject.at("absent")) is None


def check_what_is_written_reads_back(subject: Subject) -> None:
    for number, content in enumerate((b"", b"\0", b"text\n", bytes(range(256)) * 12_000)):
        wanted = node(subject, content)
        subject.files.write(subject.at(f"file{number}"), wanted)
        read = subject.files.read(subject.at(f"file{number}"))
        assert read is not None
        assert read.content == content, "byte for byte"
        assert get(subject.there(f"file{number}")) == content, "and on the real disk"
        assert (read.kind, read.mode, read.xattrs) == ("file", 0o644, ())
    assert leftovers(subject.there()) == []


def check_every_mode_reads_back(subject: Subject) -> None:
    for mode in (0o644, 0o600, 0o640, 0o755, 0o4755, 0o2755, 0o6711, 0o1644, 0o444, 0o400):
        subject.files.write(subject.at("file"), node(subject, mode=mode))
        read = subject.files.read(subject.at("file"))
        assert read is not None and read.mode == mode, oct(mode)
        if subject.real:
            assert stat.S_IMODE(os.stat(subject.there("file")).st_mode) == mode
    if subject.can_own():
        subject.files.write(subject.at("file"), node(subject, mode=0o000))
        read = subject.files.read(subject.at("file"))
        assert read is not None and (read.mode, read.content) == (0, b"wanted\n"), (
            "root reads it all the same"
        )


def check_the_callers_umask_does_not_matter(subject: Subject) -> None:
    before = os.umask(0o077)
    try:
        subject.files.make_parents(subject.at("one/two/file"))
        subject.files.write(subject.at("one/two/file"), node(subject, mode=0o664))
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(subject.there("one")).st_mode) == 0o755
    assert stat.S_IMODE(os.stat(subject.there("one/two/file")).st_mode) == 0o664


def check_owners_read_back(subject: Subject) -> None:
    if not subject.can_own():
        need_root()
    for owner, group in (("nobody", "nogroup"), ("root", "adm"), ("54321", "54321"), ("root", "root")):
        subject.files.write(subject.at("file"), Node("file", 0o4750, owner, group, b"x"))
        read = subject.files.read(subject.at("file"))
        assert read is not None
        assert (read.owner, read.group, read.mode) == (owner, group, 0o4750), "set-id bits outlive the owner"


def check_an_unknown_owner_is_refused(subject: Subject) -> None:
    if not subject.real:
        return  # the sandbox knows no list of users and groups
    subject.files.write(subject.at("file"), node(subject, b"old"))
    for owner, group in (
        ("no-such-person", "root"),
        ("root", "no-such-group"),
        ("-1", "root"),
        ("ä\0", "root"),
    ):
        wanted = Node("file", 0o644, owner, group)
        refused("not-found", subject.files.write, subject.at("file"), wanted)
    assert get(subject.there("file")) == b"old"
    assert leftovers(subject.there()) == []


def check_symlinks_are_things_of_their_own(subject: Subject) -> None:
    owner, group = subject.me()
    for target in (b"/etc/hostname", b"nowhere", b"link", b"\xff\n", b"x" * 4000):
        subject.files.write(subject.at("link"), Node("symlink", 0o777, owner, group, target))
        read = subject.files.read(subject.at("link"))
        assert read is not None
        assert (read.kind, read.content, read.mode) == ("symlink", target, 0o777)
        assert os.readlink(os.fsencode(subject.there("link"))) == target
    subject.files.write(subject.at("link"), node(subject))
    assert not os.path.islink(subject.there("link")), "a file replaces a link, it is not written through it"
    assert leftovers(subject.there()) == []


def check_a_link_is_replaced_never_followed(subject: Subject) -> None:
    victim = f"{subject.outside}/victim"
    put(victim, b"precious")
    for target in (victim, subject.there("dangling"), subject.there("managed")):
        os.symlink(target, subject.there("managed"))
        read = subject.files.read(subject.at("managed"))
        assert read is not None and read.kind == "symlink"
        subject.files.write(subject.at("managed"), node(subject))
        assert get(subject.there("managed")) == b"wanted\n"
        os.unlink(subject.there("managed"))
    os.symlink(victim, subject.there("managed"))
    subject.files.remove(subject.at("managed"))
    assert get(victim) == b"precious"
    assert os.listdir(subject.there()) == []


def check_other_names_of_a_file_keep_their_content(subject: Subject) -> None:
    put(subject.there("one"), b"shared")
    os.link(subject.there("one"), subject.there("two"))
    subject.files.write(subject.at("one"), node(subject))
    assert get(subject.there("two")) == b"shared"


def check_what_is_no_file_reads_as_other_and_is_replaced(subject: Subject) -> None:
    os.mkfifo(subject.there("fifo"))
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(subject.there(), os.O_RDONLY)
        try:
            listening.bind(f"/proc/self/fd/{here}/socket")  # the real path may be too long for a socket
        finally:
            os.close(here)
        for name in ("fifo", "socket"):
            read = subject.files.read(subject.at(name))
            assert read is not None and (read.kind, read.content) == ("other", b""), name
            subject.files.write(subject.at(name), node(subject))
            assert get(subject.there(name)) == b"wanted\n"
    os.mkfifo(subject.there("again"))
    subject.files.remove(subject.at("again"))
    assert not os.path.lexists(subject.there("again"))


def check_a_device_is_read_as_other_and_left_alone(subject: Subject) -> None:
    need_root()
    os.mknod(subject.there("null"), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    read = subject.files.read(subject.at("null"))
    assert read is not None and read.kind == "other"
    refused("bad-path", subject.files.write, subject.at("null"), node(subject))
    refused("bad-path", subject.files.remove, subject.at("null"))
    assert stat.S_ISCHR(os.stat(subject.there("null")).st_mode)


def check_a_directory_in_the_way_is_left_alone(subject: Subject) -> None:
    os.mkdir(subject.there("busy"))
    put(subject.there("busy/inside"), b"kept")
    read = subject.files.read(subject.at("busy"))
    assert read is not None and (read.kind, read.content) == ("directory", b"")
    refused("bad-path", subject.files.write, subject.at("busy"), node(subject))
    refused("bad-path", subject.files.remove, subject.at("busy"))
    assert get(subject.there("busy/inside")) == b"kept"
    assert leftovers(subject.there()) == []
    for kind in ("directory", "other", "nonsense"):
        refused("bad-path", subject.files.write, subject.at("new"), Node(kind))


def check_a_file_in_the_way_of_a_directory(subject: Subject) -> None:
    put(subject.there("file"), b"kept")
    assert subject.files.read(subject.at("file/below")) is None, "nothing can be there"
    refused("bad-path", subject.files.write, subject.at("file/below"), node(subject))
    refused("bad-path", subject.files.make_parents, subject.at("file/below/it"))
    refused("bad-path", subject.files.names, subject.at("file"))
    assert get(subject.there("file")) == b"kept"


def check_parents_are_made_and_taken_away(subject: Subject) -> None:
    path = subject.at("a/b/c/file")
    refused("not-found", subject.files.write, path, node(subject))
    made = subject.files.make_parents(path)
    assert made == (subject.at("a"), subject.at("a/b"), subject.at("a/b/c")), "outermost first"
    assert subject.files.make_parents(path) == (), "and again: nothing to do"
    subject.files.write(path, node(subject))
    put(subject.there("a/stays"))
    subject.files.remove_empty(made)
    assert os.path.exists(subject.there("a/b/c/file")), "not empty: left"
    subject.files.remove(path)
    subject.files.remove_empty((*made, subject.at("never-there"), subject.at("a/stays")))
    assert os.listdir(subject.there("a")) == ["stays"]
    assert subject.files.names(subject.at("a")) == ("stays",)


def check_a_directory_is_made_whole_and_dressed_anew(subject: Subject) -> None:
    path, (owner, group) = subject.at("made"), subject.me()

    def wanted(mode: int, *xattrs: tuple[str, bytes]) -> Node:
        return Node("directory", mode, owner, group, b"", xattrs)

    refused("not-found", subject.files.make_directory, subject.at("no/made"), wanted(0o755))
    for one in (wanted(0o2750, ("user.mark", b"x")), wanted(0o1777), wanted(0o700)):
        subject.files.make_directory(path, one)
        subject.files.make_directory(path, one)
        assert subject.files.read(path) == one
        put(subject.there("made/theirs"), b"kept")
    assert get(subject.there("made/theirs")) == b"kept"
    assert leftovers(subject.there()) == []
    for taken in ("file", "link"):
        put(subject.there("file")) if taken == "file" else os.symlink("made", subject.there("link"))
        error = refused("bad-path", subject.files.make_directory, subject.at(taken), wanted(0o755))
        assert error.place == subject.at(taken)
    assert os.path.islink(subject.there("link")) and os.path.isfile(subject.there("file"))
    assert subject.files.read(path) == wanted(0o700), "nor what the link leads to"


def check_a_new_directory_has_nothing_of_the_one_before(subject: Subject) -> None:
    path, (owner, group) = subject.at("made"), subject.me()
    subject.files.make_directory(path, Node("directory", 0o2700, owner, group))
    subject.files.remove_empty([path])
    subject.files.make_parents(f"{path}/file")
    assert subject.files.read(path) == Node("directory", 0o755, owner, group)


def check_what_a_crash_left_of_a_directory_goes(subject: Subject) -> None:
    os.mkdir(subject.there(".bookbag-0123456789abcdef"))
    subject.files.write(subject.at("file"), node(subject))
    assert os.listdir(subject.there()) == ["file"]


def check_removing_is_safe_to_repeat(subject: Subject) -> None:
    subject.files.write(subject.at("file"), node(subject))
    subject.files.remove(subject.at("file"))
    subject.files.remove(subject.at("file"))
    subject.files.remove(subject.at("never/there"))
    assert os.listdir(subject.there()) == []


def check_strange_names(subject: Subject) -> None:
    for raw in (
        b"new\nline",
        b"\xff\xfe",
        "ä€𝄞".encode(),
        b"-rf",
        b"*",
        b" ",
        b"...",
        b"x" * 255,
        b".bookbag-short",
    ):
        name = os.fsdecode(raw)
        subject.files.write(subject.at(name), node(subject, raw))
        read = subject.files.read(subject.at(name))
        assert read is not None and read.content == raw
        assert raw in os.listdir(os.fsencode(subject.there()))
        assert name in (subject.files.names(subject.area) or ())
        subject.files.remove(subject.at(name))


def check_what_is_no_path_is_refused(subject: Subject) -> None:
    subject.files.write(subject.at("file"), node(subject, b"kept"))
    deep = "/d" * 10_000
    for path in (
        "",
        "file",
        "./file",
        "//etc/file",
        subject.at("file/"),
        subject.at("./file"),
        subject.at("x/../file"),
        subject.at("../../../../../../../../etc/file"),
        subject.at(".."),
        subject.at("nul\0"),
        subject.at("\ud800"),
        subject.at("x" * 256),
        deep,
    ):
        for ask, arguments in (
            (subject.files.read, (path,)),
            (subject.files.write, (path, node(subject))),
            (subject.files.remove, (path,)),
            (subject.files.make_parents, (path,)),
            (subject.files.make_directory, (path, Node("directory"))),
            (subject.files.names, (path,)),
            (subject.files.remove_empty, ((path,),)),
        ):
            error = refused("bad-path", ask, *arguments)
            assert len(str(error)) < 1000, "the message stays readable"
    assert get(subject.there("file")) == b"kept"


def check_as_deep_as_a_path_can_be(subject: Subject) -> None:
    room = 4000 - len(subject.there())
    path = subject.at("/".join(["directory"] * (room // 10)))
    made = subject.files.make_parents(path)
    subject.files.write(path, node(subject))
    read = subject.files.read(path)
    assert read is not None and read.content == b"wanted\n"
    subject.files.remove(path)
    subject.files.remove_empty(made)
    assert os.listdir(subject.there()) == []


def check_limits_hold(subject: Subject) -> None:
    put(subject.there("file"), b"x" * 1000)
    read = subject.files.read(subject.at("file"), limit=1000)
    assert read is not None and len(read.content) == 1000
    refused("too-large", partial(subject.files.read, limit=999), subject.at("file"))
    os.truncate(subject.there("file"), 1 << 40)  # a terabyte of nothing
    refused("too-large", subject.files.read, subject.at("file"))


def check_anything_can_be_renamed_beside_itself(subject: Subject) -> None:
    os.mkdir(subject.there("folder"))
    put(subject.there("folder/inside"), b"kept\n")
    os.symlink("folder", subject.there("link"))
    os.mkfifo(subject.there("pipe"))
    put(subject.there("file"))
    os.truncate(subject.there("file"), 1 << 40)
    for name in ("folder", "link", "pipe", "file"):
        before = os.lstat(subject.there(name))
        subject.files.rename_beside(subject.at(name), f"{name} aside")
        after = os.lstat(subject.there(f"{name} aside"))
        assert (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
        assert not os.path.lexists(subject.there(name))
    assert get(subject.there("folder aside/inside")) == b"kept\n"
    with subject.files.batch():
        subject.files.rename_beside(subject.at("folder aside"), "again")
        assert os.path.isdir(subject.there("again"))


def check_a_rename_takes_nobodys_place(subject: Subject) -> None:
    put(subject.there("file"), b"one")
    put(subject.there("taken"), b"two")
    rename = subject.files.rename_beside
    refused("bad-path", rename, subject.at("file"), "taken")
    refused("not-found", rename, subject.at("nothing"), "new")
    refused("not-found", rename, subject.at("nowhere/file"), "new")
    for name in ("", ".", "..", "a/b", "../out", "n" * 256):
        refused("bad-path", rename, subject.at("file"), name)
    assert (get(subject.there("file")), get(subject.there("taken"))) == (b"one", b"two")


def check_leftovers_of_a_crash_are_cleared(subject: Subject) -> None:
    put(subject.there(".bookbag-0123456789abcdef"))
    put(subject.there(".bookbag-of somebody"))
    assert subject.files.names(subject.area) == (".bookbag-of somebody",), "a leftover is not a name"
    subject.files.write(subject.at("file"), node(subject))
    assert sorted(os.listdir(subject.there())) == [".bookbag-of somebody", "file"]
    os.mkdir(subject.there("made"))
    put(subject.there("made/.bookbag-fedcba9876543210"))
    subject.files.remove_empty([subject.at("made")])
    assert not os.path.exists(subject.there("made")), "a leftover does not keep a directory"


def check_a_batch_is_as_good_as_single_writes(subject: Subject) -> None:
    before = open_descriptors()
    with subject.files.batch():
        for number in range(200):
            subject.files.make_parents(subject.at(f"d{number}/file"))
            subject.files.write(subject.at(f"d{number}/file"), node(subject, b"%d" % number))
        subject.files.remove(subject.at("d0/file"))
        subject.files.remove_empty([subject.at("d0")])
    assert not os.path.exists(subject.there("d0"))
    assert get(subject.there("d199/file")) == b"199"
    assert open_descriptors() <= before + 70, "directories are kept open in bounded number"
    try:
        with subject.files.batch():
            raise KeyError("a caller's own failure passes through")
    except KeyError:
        pass
    with subject.files.batch():
        refused("internal", subject.files.batch().__enter__)
