"""Strip index addresses from uv.lock: a git clean filter, standard input to standard output.

What stays pins every version. uv takes the stripped file as stale, resolves again preferring
the locked versions, and completes it in the working tree; git then sees no change.
"""

import re
import sys

RULES = (
    # where a package came from becomes a neutral name
    (re.compile(r'registry = "[^"]*"'), 'registry = "index"'),
    # files and their hashes: one line, or a list to its closing bracket
    (re.compile(r"^sdist = \{.*\}\n", re.MULTILINE), ""),
    (re.compile(r"^wheels = \[\n(?:.*\n)*?\]\n", re.MULTILINE), ""),
    # what the members ask for, said again: its absence makes uv resolve anew
    (re.compile(r"^\[package\.metadata[^\n]*\]\n(?:(?!\[).*\n)*", re.MULTILINE), ""),
    (re.compile(r"\n{3,}"), "\n\n"),
)


def strip(text: str) -> str:
    """Return the lock without addresses, files and metadata."""
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    return text.rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(strip(sys.stdin.read()))
