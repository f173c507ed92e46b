"""`bookbag completion SHELL`: a completion script for bash or zsh on standard output."""

from __future__ import annotations

import argparse

SUMMARY = "print a completion script for bash or zsh"

_SCRIPT = """\
_bookbag() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}"
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{verbs} --help --version" -- "$word"))
    else
        case "${{COMP_WORDS[1]}}" in
{cases}
            *) COMPREPLY=() ;;
        esac
        [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=($(compgen -f -- "$word"))
    fi
}}
complete -o filenames -F _bookbag bookbag
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which shell."""
    parser.add_argument("shell", choices=("bash", "zsh"))


def run(args: argparse.Namespace) -> int:
    """Print it: ``bookbag completion bash > /etc/bash_completion.d/bookbag``."""
    from agent.cli.main import verbs

    script = _SCRIPT.format(verbs=" ".join(verbs()), cases="\n".join(_case(verb) for verb in verbs()))
    if args.shell == "zsh":
        script = f"#compdef bookbag\nautoload -U +X bashcompinit && bashcompinit\n{script}"
    print(script, end="")
    return 0


def _case(verb: str) -> str:
    import importlib

    from agent.cli._arguments import parser_for

    parser = parser_for(verb, importlib.import_module(f"agent.cli.{verb}"))
    options = sorted(option for option in parser._option_string_actions if option.startswith("--"))
    return f'            {verb}) COMPREPLY=($(compgen -W "{" ".join(options)}" -- "$word")) ;;'
