"""Shell completion, generated from the parser itself: it can never say other words than the command line
takes."""

from __future__ import annotations

import argparse

_BASH = """\
# bash completion for bookbag-fleet: eval "$(bookbag-fleet completion bash)"
_bookbag_fleet() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{verbs}"
    else
        case "${{COMP_WORDS[1]}}" in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    if [ ${{#COMPREPLY[@]}} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$word")); fi
}}
complete -F _bookbag_fleet bookbag-fleet
"""

_ZSH = """\
#compdef bookbag-fleet
# zsh completion for bookbag-fleet: eval "$(bookbag-fleet completion zsh)"
_bookbag_fleet() {{
    local -a verbs
    local options
    if (( CURRENT == 2 )); then
        verbs=({verbs})
        _describe verb verbs
        return
    fi
    case "$words[2]" in
{cases}
    esac
    compadd -- ${{=options}}
    _files
}}
compdef _bookbag_fleet bookbag-fleet
"""


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The completion script for ``bash`` or ``zsh``."""
    subparsers = _subparsers(parser)
    if shell == "bash":
        cases = "\n".join(
            f'            {name}) words="{" ".join(_words(sub))}";;' for name, sub in subparsers.items()
        )
        return _BASH.format(verbs=" ".join(subparsers), cases=cases)
    cases = "\n".join(
        f'        {name}) options="{" ".join(_words(sub))}";;' for name, sub in subparsers.items()
    )
    verbs = " ".join(f"'{name}:{_help(parser, name)}'" for name in subparsers)
    return _ZSH.format(verbs=verbs, cases=cases)


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:  # argparse has no public way to ask
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _help(parser: argparse.ArgumentParser, name: str) -> str:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                if choice.dest == name:
                    return (choice.help or "").replace("'", "").replace(":", ",")
    return ""


def _words(parser: argparse.ArgumentParser) -> list[str]:
    """Options and fixed choices of one verb, those of its own sub-verbs included."""
    words: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                words += [name, *_words(sub)]
        else:
            words += [option for option in action.option_strings if option.startswith("--")]
            words += [str(choice) for choice in action.choices or ()]
    return list(dict.fromkeys(words))
