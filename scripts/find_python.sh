#!/bin/sh
# Prints the path of a Python 3.11 that can make a virtual environment, or says on stderr how to
# get one and fails. PYTHON=/path/to/python3.11 is tried first.
set -u

works() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ] && ! works "$PYTHON"; then
    echo "PYTHON=$PYTHON is not a Python 3.11 with its venv module; give another, or none." >&2
    exit 1
fi

for candidate in "${PYTHON:-python3.11}" python3.11 python3 python \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.11*/bin/python \
    /usr/local/bin/python3.11 /opt/homebrew/bin/python3.11; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    if works "$path"; then
        # A pyenv shim is only a pointer that may change its mind; take what it points to.
        "$path" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done

have() { command -v "$1" >/dev/null 2>&1; }
sudo=
[ "$(id -u)" = 0 ] || sudo='sudo '

# The packaged interpreter where the system's own lists know it; else whichever tool is here.
if have apt-get && apt-cache show python3.11-venv >/dev/null 2>&1; then
    line="${sudo}apt-get install -y python3.11 python3.11-venv"
elif have dnf; then
    line="${sudo}dnf install -y python3.11"
elif have brew; then
    line="brew install python@3.11"
elif have pyenv; then
    line="pyenv install 3.11"
elif have uv; then
    line="uv python install 3.11 && export PYTHON=\"\$(uv python find 3.11)\""
elif have conda; then
    line="conda env create -f environment.yml && conda activate voyager-skill-library"
elif have apt-get; then
    line="${sudo}apt-get update && ${sudo}apt-get install -y python3.11 python3.11-venv"
else
    line="install Python 3.11 from your system's packages, then: make install PYTHON=/path/to/python3.11"
fi

{
    echo "Python 3.11 with its venv module was not found (PyBullet has no wheels for newer ones)."
    echo "Get it with this line, then run the same make command again:"
    echo
    echo "    $line"
} >&2
exit 1
