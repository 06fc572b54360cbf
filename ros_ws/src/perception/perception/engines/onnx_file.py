"""An ONNX file, looked through before an engine is given it: whether it stays within itself.

ONNX Runtime reads weights from any file below the model's folder that the model names, and given bytes alone, below the
working directory; no checksum covers those. Graphs within the graph can loop without end; operations of other domains
run what somebody else registered, or load engines from files. The networks of bundles have none of these.

Only as much is parsed as that takes: the wire format (protobuf.dev/programming-guides/encoding) with the numbers of
fields in onnx.proto. Whether the rest makes sense, engines find out.
"""

from collections.abc import Iterator

_DOMAINS = (b"", b"ai.onnx")
_MOST_FIELDS = 200_000  # the networks here have at most 3000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10

_PARTS = {
    ("model", 7): "graph",
    ("graph", 1): "node",
    ("graph", 5): "tensor",
    ("node", 5): "attribute",
    ("attribute", 5): "tensor",
    ("attribute", 10): "tensor",
}
_REFUSED = {
    ("model", 20): "it has a graph of its training",
    ("model", 25): "it has functions of its own",
    ("graph", 15): "it has sparse weights",
    ("attribute", 6): "it has graphs within its graph",
    ("attribute", 11): "it has graphs within its graph",
    ("attribute", 22): "it has sparse weights",
    ("attribute", 23): "it has sparse weights",
    ("tensor", 13): "its weights are in another file",
}
_DATA_LOCATION, _DOMAIN = ("tensor", 14), ("node", 7)


def check_onnx(content: bytes) -> None:
    """Raises ValueError, with the reason, for bytes that are no ONNX file or refer to anything outside of it."""
    view, left, fields, graphs = memoryview(content), [("model", 0, len(content))], 0, 0
    while left:
        message, begin, end = left.pop()
        for number, value in _fields(view, begin, end):
            fields += 1
            if fields > _MOST_FIELDS:
                raise ValueError(f"it has more than {_MOST_FIELDS} parts")
            key = (message, number)
            if key in _REFUSED:
                raise ValueError(_REFUSED[key])
            if key == _DATA_LOCATION and value != 0:
                raise ValueError(_REFUSED["tensor", 13])
            if key == _DOMAIN and isinstance(value, tuple) and bytes(view[slice(*value)]) not in _DOMAINS:
                raise ValueError("it has operations that are not of ONNX itself")
            if key in _PARTS and isinstance(value, tuple):
                left.append((_PARTS[key], *value))
                graphs += key == ("model", 7)
    if not graphs:
        raise ValueError("it is no ONNX file")


def _fields(view: memoryview, begin: int, end: int) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """Number of each field of a message, with its integer or where its bytes begin and end."""
    while begin < end:
        tag, begin = _varint(view, begin, end)
        kind = tag & 7
        value: int | tuple[int, int] = 0
        if kind == _VARINT:
            value, begin = _varint(view, begin, end)
        elif kind in (_FIXED32, _FIXED64):
            begin += 4 if kind == _FIXED32 else 8
        elif kind == _BYTES:
            size, first = _varint(view, begin, end)
            begin = first + size
            value = (first, begin)
        else:
            raise ValueError("it is no ONNX file")
        if begin > end:
            raise ValueError("it is cut off or damaged")
        yield tag >> 3, value


def _varint(view: memoryview, begin: int, end: int) -> tuple[int, int]:
    value = 0
    for i in range(min(_LONGEST_VARINT, end - begin)):
        byte = view[begin + i]
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, begin + i + 1
    raise ValueError("it is cut off or damaged")
