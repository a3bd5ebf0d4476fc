"""Where every random stream and every identity in the project comes from.

Both functions are SHA-256 (FIPS 180-4) over *canonical JSON*: UTF-8, keys sorted, no spaces,
non-ASCII escaped, floats as Python's shortest round-trip decimals, no NaN or infinity. Anybody
can recompute a seed or a hash with a few lines in another language.
"""

from __future__ import annotations

import hashlib
import json

_SEED_BITS = 63  # fits a signed 64-bit column and every generator we seed
_SHORT = 12  # hex digits shown to people: one collision in 10^7 objects has odds below 1 in 5


def canonical_json(value: object) -> bytes:
    """Encode a JSON-able value so that equal values give equal bytes.

    Args:
        value: Nested dicts with string keys, lists, tuples (written as lists), strings, finite
            numbers, booleans and None.

    Returns:
        The canonical bytes described in this module's docstring.

    Raises:
        TypeError: If something in it has no JSON form, or a key is not a string.
        ValueError: If a number is not finite.
    """
    _refuse_odd_keys(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def digest(value: object) -> str:
    """SHA-256 of a value's canonical JSON.

    Args:
        value: As for `canonical_json`.

    Returns:
        64 hex digits; `short` gives the form for people.

    Raises:
        TypeError: If something in it has no JSON form.
        ValueError: If a number is not finite.
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def short(full: str) -> str:
    """The first 12 digits of a digest, for people to read; never used to look anything up."""
    return full[:_SHORT]


def derive(label: str, *parts: str | int) -> int:
    """Derive a seed from a label and the things that it depends on.

    The seed is SHA-256 of the canonical JSON of ``[label, *parts]``, read as a big-endian
    number from its first 8 bytes and shifted right by one bit. Other labels or parts give
    unrelated seeds, so that a practice seed can never be passed for a held-out one; ``1`` and
    ``"1"`` are different parts.

    Args:
        label: What the seed is for, for example "practice" or "held-out".
        parts: Hashes, ordinals, indices.

    Returns:
        A number in [0, 2**63).

    Raises:
        TypeError: If a part is neither a string nor a plain integer.
    """
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, str | int):
            raise TypeError(f"a seed is derived from strings and integers, not from {part!r}")
    raw = hashlib.sha256(canonical_json([label, *parts])).digest()
    return int.from_bytes(raw[:8], "big") >> (64 - _SEED_BITS)


def _refuse_odd_keys(value: object) -> None:
    # json.dumps turns a key 1 into "1" in silence, and two values would share one digest.
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"canonical JSON needs string keys, not {key!r}")
            _refuse_odd_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_odd_keys(item)
