"""Strict YAML: the part of the language that reads the same to a person and to every parser.

libyaml gives events; this module turns them into nodes that know their place. Refused: anchors, aliases,
tags, merge keys, directives, duplicate keys, keys that are not text, more than one document, and every
unquoted text that YAML 1.1 and 1.2 read differently or that people misread (``0644``, ``22:30``, ``1.10``,
``2027-08-01``). ``no`` is the text "no". Sizes are capped before anything is built; no step recurses.
"""

from __future__ import annotations

import re

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from agent.core.errors import BookbagError
from agent.policy.syntax.nodes import Mapping, Node, Place, Scalar, Sequence
from agent.policy.syntax.problems import Problems, TooMany

MAX_BYTES = 64 << 10
MAX_DEPTH = 20
MAX_NODES = 10_000
#: Line ends that only YAML 1.1 knows would move every later line number; a byte order mark hides in mid-file.
_HIDDEN_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
#: (what it looks like, why it is refused, what to write instead); the first that matches speaks.
# fmt: off
_TRAPS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"[-+]?0[0-9_]+"), "with a leading zero it is octal to some parsers and decimal to others",
     'quote it, as in mode: "0644"'),
    (re.compile(r"[-+]?0[xob][0-9A-Fa-f_]+"), "numbers are written in plain decimal",
     "write the decimal number, or quote it"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "some parsers read this time as a number",
     'quote it, as in "22:30"'),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "some parsers read this as a date",
     'quote it, as in "2027-08-01"'),
    (re.compile(r"[-+]?[0-9]{1,3}([_,][0-9]{3})+"), "numbers are written without separators",
     "write the digits only, or quote it"),
    (re.compile(r"[0-9]+(\.[0-9]+){2,}"), "an unquoted version is easily mistaken for a number",
     'quote it, as in "1.10.2"'),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
     "numbers with a fraction or exponent are not used here", 'quote it if it is a version, as in "1.10"'),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "this is not a number anything can be set to",
     "quote it if it is a text"),
)
# fmt: on
#: What an integer and everything in `_TRAPS` begins with.
_NUMERIC = frozenset("+-.0123456789")


class _Open:
    """A collection whose end has not come yet."""

    __slots__ = ("items", "mapping", "place", "seen")

    def __init__(self, place: Place, mapping: bool) -> None:
        self.place = place
        self.mapping = mapping
        self.items: list[Node] = []
        self.seen: dict[str, Place] = {}

    def close(self) -> Node:
        if not self.mapping:
            return Sequence(self.place, tuple(self.items))
        keys = (item for item in self.items[::2] if isinstance(item, Scalar))
        return Mapping(self.place, tuple(zip(keys, self.items[1::2], strict=True)))


def load(data: bytes, file: str) -> Node:
    """The one document in ``data``. Raises BookbagError ``bad-yaml`` or ``too-large`` at the first breach."""
    problems = Problems()
    node = read(data, file, problems)
    problems.raise_first()
    assert node is not None  # noqa: S101  read() without a node has added a problem
    return node


def read(data: bytes, file: str, problems: Problems) -> Node | None:
    """Like `load`, but notes every breach in ``problems`` and goes on where it can; None: nothing left."""
    try:
        text = _text(data, file)
        return _Builder(file, problems).build(text)
    except BookbagError as error:
        problems.errors.append(error)
    except TooMany:
        pass
    return None


def _text(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise BookbagError(
            "too-large",
            f"cannot read this document: it has {len(data)} bytes, {MAX_BYTES} is the most",
            place=file,
            remedy="split it in several documents",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise BookbagError(
            "bad-yaml",
            "cannot read this document: it is not UTF-8 text",
            place=f"{file}:{line}:{column}",
            remedy="save it as UTF-8",
        ) from None
    hidden = _HIDDEN_BREAKS.search(text)
    if hidden:
        line = text.count("\n", 0, hidden.start()) + 1
        column = hidden.start() - text.rfind("\n", 0, hidden.start())
        raise BookbagError(
            "bad-yaml",
            f"cannot read this document: it holds the invisible character U+{ord(hidden[0]):04X}",
            place=f"{file}:{line}:{column}",
            remedy="delete it, or write it as an escape in double quotes",
        )
    return text


class _Builder:
    """Turns events into nodes without recursion, so that depth costs an error and never the stack."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._open: list[_Open] = []
        self._nodes = 0
        self._root: Node | None = None
        self._documents = 0

    def build(self, text: str) -> Node | None:
        parser = CParser(text)
        try:
            while True:
                event = parser.get_event()
                if event is None or isinstance(event, yaml.StreamEndEvent):
                    break
                self._take(event)
        except yaml.reader.ReaderError as error:
            raise self._unreadable(text, error) from None
        except yaml.MarkedYAMLError as error:
            raise self._malformed(text, error) from None
        finally:
            parser.dispose()
        if self._root is None and not self._problems.errors:
            self._problems.add(
                "bad-yaml",
                "cannot use an empty document",
                place=f"{self._file}:1:1",
                remedy="begin with policy: and a name",
            )
        return self._root

    def _unreadable(self, text: str, error: yaml.reader.ReaderError) -> BookbagError:
        position = getattr(error, "position", 0)
        before = text.encode()[: position if isinstance(position, int) else 0].decode(errors="ignore")
        place = Place(self._file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        return BookbagError(
            "bad-yaml",
            "cannot read this as YAML: it holds a control character",
            place=str(place),
            remedy='delete it, or write it as an escape in double quotes, as in "\\u0007"',
        )

    def _malformed(self, text: str, error: yaml.MarkedYAMLError) -> BookbagError:
        """What libyaml stumbled over; the two commonest slips are named for what they are, where they are."""
        mark = error.problem_mark or error.context_mark
        why = " ".join(part for part in (error.context, error.problem) if part)
        remedy = "check the indentation here, and quote a text that begins with * or & or holds ': '"
        if (
            error.context_mark
            and error.problem
            and "quoted scalar" in why
            and "end of stream" in error.problem
        ):
            mark = error.context_mark  # where the file ends nobody finds it
            why, remedy = "the quote that begins here is never closed", "close it with the same quote"
        if mark is None:
            return BookbagError(
                "bad-yaml", f"cannot read this as YAML: {why}", place=self._file, remedy=remedy
            )
        column = mark.column
        line = (text.split("\n")[mark.line : mark.line + 1] or [""])[0]
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if "\t" in indent:
            column = indent.index("\t")
            why, remedy = (
                "this line is indented with a tab",
                "indent with spaces; editors can do so by themselves",
            )
        place = Place(self._file, mark.line + 1, column + 1)
        return BookbagError("bad-yaml", f"cannot read this as YAML: {why}", place=str(place), remedy=remedy)

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None  # noqa: S101  libyaml marks every event
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():  # first: nearly all events are one
                if event.anchor or event.tag:
                    self._marks(event)
                self._add(self._scalar(event))
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._marks(event)
                self._begin(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._add(self._open.pop().close(), count=False)
            case yaml.DocumentStartEvent():
                self._start_document(event)
            case yaml.AliasEvent():
                place = self._place(event)
                self._refuse(place, "an alias (*name)", "write the value out")
                self._add(Scalar(place, None, bad=True))

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise BookbagError(
                "bad-yaml",
                "cannot read a second document in one file",
                place=str(self._place(event)),
                remedy="put each policy in a file of its own",
            )
        if event.version or event.tags:
            self._refuse(self._place(event), "a directive (%YAML, %TAG)", "delete it")

    def _refuse(self, place: Place, what: str, remedy: str) -> None:
        self._problems.add("bad-yaml", f"cannot use {what} in a policy", place=place, remedy=remedy)

    def _marks(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor:
            self._refuse(self._place(event), f"an anchor (&{event.anchor})", "write the values out")
        if event.tag:
            self._refuse(self._place(event), f"a tag ({event.tag})", "delete it; quote texts")

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        place = self._place(event)
        if len(self._open) >= MAX_DEPTH:
            raise BookbagError(
                "too-large",
                f"cannot read this document: it is nested deeper than {MAX_DEPTH} levels",
                place=str(place),
            )
        if self._at_key():
            raise BookbagError(
                "bad-yaml",
                "cannot use a list or mapping as a key",
                place=str(place),
                remedy="write a text as the key",
            )
        self._count(place)
        self._open.append(_Open(place, isinstance(event, yaml.MappingStartEvent)))

    def _at_key(self) -> bool:
        return bool(self._open) and self._open[-1].mapping and len(self._open[-1].items) % 2 == 0

    def _count(self, place: Place) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise BookbagError(
                "too-large",
                f"cannot read this document: it has more than {MAX_NODES} values",
                place=str(place),
            )

    def _add(self, node: Node, *, count: bool = True) -> None:
        if count:
            self._count(node.place)
        if not self._open:
            self._root = node
            return
        if self._at_key() and isinstance(node, Scalar):
            node = self._key(node)
        self._open[-1].items.append(node)

    def _key(self, key: Scalar) -> Scalar:
        if key.bad:
            return key
        if not isinstance(key.value, str):
            self._problems.add(
                "bad-yaml",
                f"cannot use {_shown(key.value)} as a key: keys are texts",
                place=key.place,
                remedy="quote it",
            )
            return Scalar(key.place, None, bad=True)
        if key.value == "<<":
            self._refuse(key.place, "a merge key (<<)", "write the keys out")
            return Scalar(key.place, None, bad=True)
        seen = self._open[-1].seen
        if key.value in seen:
            self._problems.add(
                "bad-yaml",
                f"cannot use the key {key.value!r} twice: it is already on line {seen[key.value].line}",
                place=key.place,
                remedy="keep one of the two",
            )
            return Scalar(key.place, key.value, bad=True)
        seen[key.value] = key.place
        return key

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        place, text = self._place(event), event.value
        if event.style:  # quoted or a block: always text
            return Scalar(place, text)
        if text in _NULLS:
            return Scalar(place, None)
        if text in _TRUE or text in _FALSE:
            return Scalar(place, text in _TRUE)
        if text[0] not in _NUMERIC:
            return Scalar(place, text)
        if _INTEGER.fullmatch(text):
            return self._integer(place, text)
        for pattern, why, remedy in _TRAPS:
            if pattern.fullmatch(text):
                what = f"cannot read {text[:40]!r} safely: {why}"
                self._problems.add("bad-yaml", what, place=place, remedy=remedy)
                return Scalar(place, None, bad=True)
        return Scalar(place, text)

    def _integer(self, place: Place, text: str) -> Scalar:
        if len(text) > 18:
            self._problems.add(
                "bad-yaml",
                "cannot use a number of more than 18 digits",
                place=place,
                remedy="quote it if it is a text",
            )
            return Scalar(place, None, bad=True)
        return Scalar(place, int(text))


def _shown(value: object) -> str:
    names = {None: "nothing", True: "true", False: "false"}
    return names[value] if value is None or isinstance(value, bool) else str(value)
