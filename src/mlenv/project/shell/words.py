"""The simple commands of a shell script, each word with the place where it stands.

What is a command is found, what its outcome would be is not: both branches of an ``if`` count.
Source: POSIX.1-2024, "Shell Command Language"; bash's manual for what it adds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlenv.model.text import Fragment, Span
from mlenv.project.shell.scanner import Scanner, Word
from mlenv.project.shell.variables import Variables
from mlenv.records import dataclass, replace

_BLANKS = re.compile(r"(?:[ \t]+|\\[ \t]*(?:\r\n|\n|\r|\Z)|`[ \t]*(?:\r\n|\n|\r)|\^(?:\r\n|\n))+")
_COMMENT = re.compile(r"#[^\r\n]*")
_OPERATOR = re.compile(r"\r\n|[\r\n]|&&|\|\||\|&|;;&|;;|;&|[;&|]")
_REDIRECTION = re.compile(r"(?:[0-9]+|\{\w+\})?(<<<|<<-?|&>>?|>>|>\||[<>]&|<>|[<>])")
_HEREDOC_NAME = re.compile(r"[ \t]*(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\s;&|<>()]+))")
_BRACKET = re.compile(r"[^()]{0,4000}\)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=", re.ASCII)
_DECLARING = frozenset(("export", "local", "declare", "readonly", "typeset", "set"))
_OPENING = frozenset(("if", "while", "until", "!", "{", "coproc"))
_BEFORE_COMMANDS = frozenset(("then", "do", "else", "elif", *_OPENING))
_TESTS = frozenset(("[", "[[", "test", "((", "grep", "command", "which", "type", "false"))
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True, eq=False)
class Redirection:
    """One redirection of a command.

    Attributes:
        operator: ``>``, ``<``, ``>>``, ``2>&1`` without its number …
        start: Where it begins in the script.
        glued: Whether it stands directly behind a word.
        target: What follows the operator; None where nothing does.
    """

    operator: str
    start: int
    glued: bool
    target: Word | None


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """One simple command.

    Attributes:
        words: Its words, without keywords, assignments and redirections.
        span: Where it stands.
        assignments: The variables that are set for it alone, with their values.
        redirections: Its redirections, in order.
        heredocs: The here-documents that it reads.
        branch: 0 where it always runs; else a number that it shares with what runs under the
            same condition.
        level: How many brackets it stands in.
    """

    words: tuple[Word, ...]
    span: Span
    assignments: tuple[tuple[str, Word], ...] = ()
    redirections: tuple[Redirection, ...] = ()
    heredocs: tuple[Fragment, ...] = ()
    branch: int = 0
    level: int = 0


def read_commands(script: Fragment, variables: Variables | Mapping[str, str]) -> list[Command]:
    """Return the simple commands of a script in order; never fails.

    Args:
        script: One line or many.
        variables: What is known of variables; assignments in the script are added to it.
    """
    known = variables if isinstance(variables, Variables) else Variables(variables)
    commands: list[Command] = []
    _Grammar(script, known, commands).run()
    return commands


class _Grammar:
    """Goes through one script, or one bracket of it, once."""

    def __init__(
        self,
        script: Fragment,
        variables: Variables,
        commands: list[Command],
        at: int = 0,
        depth: int = 0,
        branches: _Branches | None = None,
    ) -> None:
        self.script = script
        self.text = script.text
        self.variables = variables
        self.commands = commands
        self.depth = depth
        self.branches = branches or _Branches(variables)
        self.scanner = Scanner(script, at, variables, self._nested, self._quoted_script)
        self.is_inner = at > 0
        self.cases = 0
        self.in_pattern = False
        self.pending: list[tuple[str, bool]] = []
        self.owners: list[int] = []
        self._clear()

    def _clear(self) -> None:
        self.words: list[Word] = []
        self.assignments: list[tuple[str, Word]] = []
        self.redirections: list[Redirection] = []
        self.has_heredoc = False

    def run(self) -> int:
        """Read to the end, or to the bracket that closes; return where that is."""
        text, scanner = self.text, self.scanner
        while scanner.at < len(text):
            blanks = _BLANKS.match(text, scanner.at)
            if blanks is not None:
                scanner.at = blanks.end()
                continue
            character = text[scanner.at]
            if character == "#":
                comment = _COMMENT.match(text, scanner.at)
                scanner.at = comment.end() if comment else scanner.at + 1
            elif character == "(":
                self._bracket()
            elif character == ")":
                scanner.at += 1
                if self.is_inner and not self.cases:
                    self._finish("")
                    return scanner.at
                self._close_pattern()
            else:
                self._token()
        self._finish("")
        return scanner.at

    def _token(self) -> None:
        redirection = _REDIRECTION.match(self.text, self.scanner.at)
        if redirection is not None and not self.text.startswith(("<(", ">("), self.scanner.at):
            self._redirect(redirection)
            return
        operator = _OPERATOR.match(self.text, self.scanner.at)
        if operator is not None:
            self.scanner.at = operator.end()
            self._finish(operator.group())
            if operator.group() in ("\n", "\r\n", "\r"):
                self._read_heredocs()
            return
        if self.text[self.scanner.at] in "<>":  # a process substitution
            start = self.scanner.at
            self.scanner.at = self._nested(start + 2, self.depth + 1)
            raw = self.script.part(start, self.scanner.at)
            head = raw.part(0, 0)
            self.words.append(Word(raw.text, start, self.scanner.at, raw, head, complete=False))
            return
        self._words()

    def _words(self) -> None:
        start = self.scanner.at
        assignment = None
        if all(one.text in _DECLARING or one.text in _BEFORE_COMMANDS for one in self.words):
            assignment = _ASSIGNMENT.match(self.text, start)
        if assignment is not None and self.text.startswith("(", assignment.end()):
            self.variables.assign(assignment[1], None)
            self.scanner.at = self._passed_over(assignment.end() + 1)
            return
        found = self.scanner.words()
        if assignment is None:
            self.words.extend(found)
        elif found:
            self._assign(assignment, found)

    def _assign(self, match: re.Match[str], found: list[Word]) -> None:
        """Keep an assignment; the words of a value that holds blanks belong together."""
        if match[2]:
            self.variables.assign(match[1], None)
            return
        word = found[0]
        if len(found) > 1:  # blanks do not split the value of an assignment
            text = " ".join(one.text for one in found)
            word = replace(word, text=text, fragment=Fragment.decoded(text, word.fragment.whole))
        self.assignments.append((match[1], word.tail(len(match.group()))))

    def _bracket(self) -> None:
        at = self.scanner.at
        if self.words and self.text.startswith("()", at):  # the name of a function
            self.scanner.at = at + 2
            self._clear()
        elif self.cases and not self.words:  # a pattern with its opening bracket
            self.scanner.at = at + 1
        else:
            self._finish("(")
            self.scanner.at = self._nested(at + 1, self.depth + 1)

    def _nested(self, at: int, depth: int) -> int:
        """Read the commands in a bracket; return where it ends."""
        depth = max(depth, self.depth + 1)
        if depth > _MAX_DEPTH:
            return self._passed_over(at)
        self.variables.enter()
        inner = _Grammar(self.script, self.variables, self.commands, at, depth, self.branches)
        end = inner.run()
        self.variables.leave()
        return end

    def _passed_over(self, at: int) -> int:
        """Return where a bracket ends whose words are no commands."""
        closing = _BRACKET.match(self.text, at)
        return closing.end() if closing else at

    def _quoted_script(self, script: Fragment) -> None:
        if self.depth < _MAX_DEPTH:
            self.variables.enter()
            _Grammar(script, self.variables, self.commands, 0, self.depth + 1, self.branches).run()
            self.variables.leave()

    def _redirect(self, match: re.Match[str]) -> None:
        scanner = self.scanner
        start = scanner.at
        glued = bool(self.words) and self.words[-1].end == start
        scanner.at = match.end()
        operator = match[1]
        if operator in ("<<", "<<-"):
            name = _HEREDOC_NAME.match(self.text, scanner.at)
            if name is not None:
                scanner.at = name.end()
                self.pending.append((name[1] or name[2] or name[3], operator == "<<-"))
                self.has_heredoc = True
            return
        blanks = _BLANKS.match(self.text, scanner.at)
        if blanks is not None:
            scanner.at = blanks.end()
        target = None
        if scanner.at < len(self.text) and self.text[scanner.at] not in " \t\r\n;|()<>":
            found = scanner.words()
            target = found[0] if found else None
        self.redirections.append(Redirection(operator, start, glued, target))

    def _read_heredocs(self) -> None:
        """Take the bodies of the here-documents that the line before began."""
        for (name, is_indented), owner in zip(self.pending, self.owners, strict=False):
            start = end = self.scanner.at
            while end < len(self.text):
                line_end = self.text.find("\n", end)
                line_end = len(self.text) if line_end < 0 else line_end
                line = self.text[end:line_end].rstrip("\r")
                if (line.lstrip("\t") if is_indented else line) == name:
                    break
                end = line_end + 1
            end = min(end, len(self.text))
            body = self.script.part(start, end)
            after = self.text.find("\n", end)
            self.scanner.at = len(self.text) if after < 0 else after + 1
            last = self.commands[owner]
            self.commands[owner] = replace(last, heredocs=(*last.heredocs, body))
        self.pending, self.owners = [], []

    def _close_pattern(self) -> None:
        """A bracket that closes nothing ends a pattern of ``case``."""
        if self.words and self.words[0].text == "case":
            self.cases += 1
        self._clear()
        self.in_pattern = False
        if self.cases:
            self.branches.enter()

    def _finish(self, operator: str) -> None:
        """End a command at an operator."""
        if self.in_pattern and not (self.words and self.words[0].text in ("case", "esac")):
            self._clear()
            return
        self._keywords()
        if not self.words or self.words[0].text in _DECLARING:
            for name, word in self.assignments:
                is_plain = word.complete and not self.branches.is_doubtful
                self.variables.assign(name, word.text if is_plain else None)
        if self.words or self.has_heredoc:
            self._keep()
        tests = bool(self.words) and self.words[0].text in _TESTS
        self._clear()
        if operator.startswith(";;"):
            self.branches.leave()
            self.in_pattern = self.cases > 0
        self.branches.after(operator, tests=tests)

    def _keep(self) -> None:
        if self.words:
            start, end = self.words[0].start, self.words[-1].end
            targets = [one.target.end for one in self.redirections if one.target]
            end = max(end, *targets) if targets else end
        else:
            start = end = self.scanner.at
        self.owners += [len(self.commands)] * (len(self.pending) - len(self.owners))
        self.commands.append(
            Command(
                tuple(self.words),
                self.script.span(start, end),
                tuple(self.assignments),
                tuple(self.redirections),
                (),
                self.branches.current,
                self.depth,
            )
        )

    def _keywords(self) -> None:
        """Take keywords off the front of a command, and what is no command."""
        while self.words and not self.words[0].quoted:
            word = self.words[0].text
            if word in ("then", "do"):
                self.branches.enter()
            elif word in ("else", "elif"):
                self.branches.leave()
                if word == "else":
                    self.branches.enter()
            elif word in ("fi", "done", "esac"):
                self._end(word)
            elif word in ("for", "select", "case", "function"):
                self._head(word)
                return
            elif word not in _OPENING and word != "}":
                return
            del self.words[0]

    def _end(self, word: str) -> None:
        if word != "esac":
            self.branches.leave()
        elif self.cases:
            self.cases -= 1
            if not self.in_pattern:  # the last branch may end without ;;
                self.branches.leave()
            self.in_pattern = False

    def _head(self, word: str) -> None:
        if word in ("for", "select") and len(self.words) > 1:
            self.variables.assign(self.words[1].text, None)
        elif word == "case":
            self.cases += 1
            self.in_pattern = True
        self._clear()


class _Branches:
    """Which of a script's commands run only under a condition."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables
        self._stack: list[int] = []
        self._count = 0
        self._chain = 0

    @property
    def current(self) -> int:
        """The number of the branch that is being read; 0 outside of all."""
        return self._chain or (self._stack[-1] if self._stack else 0)

    @property
    def is_doubtful(self) -> bool:
        """Whether the command that is being read may be passed over by an operator before it."""
        return self._chain > 0

    def enter(self) -> None:
        """Begin a branch."""
        self._count += 1
        self._stack.append(self._count)
        self._chain = 0
        self._variables.enter()

    def leave(self) -> None:
        """End a branch."""
        self._chain = 0
        if self._stack:
            self._stack.pop()
            self._variables.leave()

    def after(self, operator: str, *, tests: bool) -> None:
        """Note the operator behind a command, and whether that command only tests something."""
        if operator == "||" or (operator == "&&" and tests):
            self._count += 1
            self._chain = self._count
        elif operator != "&&":
            self._chain = 0
