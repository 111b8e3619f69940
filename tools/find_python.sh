#!/bin/sh
# Prints the Python that shall make .venv, or says what is missing and exits 1.
# usage: find_python.sh [NAME]      NAME: a Python that was asked for; then no other is tried
#
# A candidate is run, not only looked up: version managers leave names behind that lead to nothing.

fits='import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)'
makes_venvs='import ensurepip, venv'

if [ -n "$1" ]; then
    if ! "$1" -c '' 2>/dev/null; then
        echo "isthmus: PYTHON=$1 does not run. Give the path of a Python 3.11 or newer." >&2
        exit 1
    fi
    if ! "$1" -c "$fits"; then
        echo "isthmus: PYTHON=$1 is $("$1" --version 2>&1), and Isthmus needs Python 3.11 or newer." >&2
        exit 1
    fi
    candidates=$1
else
    candidates="python3.13 python3.12 python3.11 python3"
fi

for python in $candidates; do
    "$python" -c "$fits" 2>/dev/null || continue
    if "$python" -c "$makes_venvs" 2>/dev/null; then
        echo "$python"
        exit 0
    fi
    incomplete=$python
done

if [ -n "$incomplete" ]; then
    echo "isthmus: $incomplete cannot make virtual environments: its venv or ensurepip module is missing." >&2
    echo "         On Debian and Ubuntu: apt install python3-venv" >&2
elif old=$(python3 --version 2>/dev/null); then
    echo "isthmus: the python3 here is $old, and Isthmus needs Python 3.11 or newer." >&2
    echo "         Install one, or name it: make setup PYTHON=/path/to/python3.11" >&2
else
    echo "isthmus: no Python found, and Isthmus needs Python 3.11 or newer." >&2
    echo "         Install one (https://www.python.org/downloads/), or name it: make setup PYTHON=/path/to/python3.11" >&2
fi
exit 1
