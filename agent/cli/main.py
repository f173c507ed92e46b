"""The entry of `bookbag`. ``worker``, ``run`` and the portal's service go their way before argparse is
parsed: they start often, stay, or a student waits for them.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from types import ModuleType


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns the exit code (`agent.core.exit_codes`)."""
    words = sys.argv[1:] if argv is None else argv
    try:
        if words[:1] == ["worker"]:
            from agent.daemon import worker

            return worker.start(words[1:])
        if words[:1] == ["run"] and (root := _plain_root(words[1:])) is not None:
            from agent.cli import run

            return run.supervise(root)
        if words == ["portal", "--socket-activated"]:
            from agent.cli import portal

            return portal.serve_activated()
        code = _verb(words)
        sys.stdout.flush()  # here, where it is no accident that a reader has gone
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _quiet_exit()
        return 1
    except (
        OSError
    ) as problem:  # what cannot be written, above all: the disk of a file that it goes to is full
        from agent.cli import _terminal
        from agent.core.faults import explained

        _quiet_exit()
        _terminal.fail(explained(problem, "go on", str(problem.filename or "")), as_json=False)
        return 1


def verbs() -> tuple[str, ...]:
    """Every verb there is: the modules of this folder."""
    import pkgutil

    import agent.cli

    names = (module.name for module in pkgutil.iter_modules(agent.cli.__path__))
    return tuple(sorted(name for name in names if not name.startswith("_") and name != "main"))


def _plain_root(words: list[str]) -> str | None:
    """DIR of exactly ``[--root DIR]``, "/" without it; None: argparse shall look at it."""
    if not words:
        return "/"
    if len(words) == 2 and words[0] == "--root" and not words[1].startswith("-"):
        return words[1]
    return None


def _verb(words: list[str]) -> int:
    from agent.cli import _terminal
    from agent.core.errors import BookbagError

    if words[:1] in (["--version"], ["-V"]):
        from agent import __version__

        print(f"bookbag {__version__}")
        return 0
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if words else 64
    if words[0] not in verbs():
        _terminal.complain(BookbagError("bad-argument", f"cannot do {words[0]!r}", remedy=_nearest(words[0])))
        return 64
    module = _load(words[0])
    args = _parse(words, module)
    try:
        code: int = module.run(args)
        return code
    except BookbagError as problem:
        _terminal.fail(problem, as_json=args.json)
        return 64 if problem.code == "bad-argument" else 1


def _load(verb: str) -> ModuleType:
    import importlib

    return importlib.import_module(f"agent.cli.{verb}")


def _parse(words: list[str], module: ModuleType) -> argparse.Namespace:
    from agent.cli._arguments import parser_for

    return parser_for(words[0], module).parse_args(words[1:])


def _help() -> str:
    rows = [(verb, _load(verb).SUMMARY) for verb in verbs()]
    width = max(len(verb) for verb, _ in rows)
    lines = [f"  {verb:<{width}}  {summary}" for verb, summary in rows]
    return "\n".join(
        [
            "Bookbag looks after this laptop as the school decided, and says what it does and why.",
            "",
            "usage: bookbag VERB [--json] [--root DIR] …    (`bookbag VERB --help` for more)",
            "",
            *lines,
        ]
    )


def _nearest(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, verbs(), n=1)
    return f"did you mean {near[0]!r}?" if near else "the verbs are " + ", ".join(verbs())


def _quiet_exit() -> None:
    """Whoever read our output has gone; do not complain about it at exit either."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
