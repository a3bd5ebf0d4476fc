from __future__ import annotations

import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from env.sandbox.confined.frames import FrameError, FrameReader, decode, encode


def reader(data: bytes, step: int = 7, frame: int = 1000, total: int = 100_000) -> FrameReader:
    left = [data]

    def read(size: int) -> bytes:
        piece, left[0] = left[0][: min(step, size)], left[0][min(step, size) :]
        return piece

    return FrameReader(read, frame, total)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(plain, max_size=3), st.integers(1, 40))
def test_what_is_sent_arrives(values: list[Any], step: int) -> None:
    frames = [{"v": value} for value in values]
    source = reader(b"".join(encode(frame, 10**6) for frame in frames), step, 10**6, 10**7)
    assert [source.next() for _ in frames] == frames
    assert source.next() is None


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_a_frame_error(data: bytes) -> None:
    source = reader(data)
    try:
        while source.next() is not None:
            pass
    except FrameError as error:
        assert str(error)


@given(st.binary(max_size=100) | st.text(max_size=100).map(lambda text: json.dumps(text).encode()))
def test_any_payload_is_an_object_or_a_frame_error(data: bytes) -> None:
    for payload in (data, b'{"a":' + data + b"}"):
        with contextlib.suppress(FrameError):
            assert isinstance(decode(payload), dict)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"{}x",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":9223372036854775808}',
        b'{"a":-9223372036854775809}',
        b'{"a":' + b"9" * 9999 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":"\xff"}',
        b'{"a":"\x00"}',
        b'{"a":' + b"[" * 25 + b"]" * 25 + b"}",
        b'{"a":' + b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
    ids=lambda payload: payload[:24].decode("latin-1"),
)
def test_what_is_not_plain_data_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        decode(payload)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), object(), b"x", {1, 2}], ids=lambda value: str(value)[:9]
)
def test_what_is_not_plain_data_cannot_be_sent(value: object) -> None:
    with pytest.raises(FrameError):
        encode({"v": value}, 1000)


def test_sizes_are_bounded() -> None:
    with pytest.raises(FrameError, match="the limit is 10"):
        encode({"v": "x" * 10}, 10)
    with pytest.raises(FrameError, match="4294967295 bytes; the limit is 1000"):
        reader(b"\xff\xff\xff\xff").next()
    one = encode({"v": 1}, 100)
    source = reader(one * 10, total=len(one) * 3)
    with pytest.raises(FrameError, match="more bytes in all"):
        while True:
            source.next()


def test_a_stream_that_ends_within_a_frame_is_an_error() -> None:
    data = encode({"v": 1}, 100)
    for cut in range(1, len(data)):
        with pytest.raises(FrameError, match="ended within a frame"):
            reader(data[:cut]).next()
    with pytest.raises(FrameError):
        reader(struct.pack(">I", 0)).next()
