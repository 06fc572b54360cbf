"""YAML that others wrote, for a few settings: none of what makes it grow, recurse, or build anything but plain values.

Left out are aliases, with which a few lines stand for more values than memory holds ("billion laughs"), tags, deep
nesting, and long numbers, which take quadratic time.
"""

from typing import Any

import yaml

MOST_BYTES = 1 << 18
"""Size of a file that is read at all: the largest here has 3 % of it."""
_MOST_NODES = 20_000
_MOST_DEPTH = 20
_MOST_DIGITS = 40
_TEXT = "tag:yaml.org,2002:str"


def parse_yaml(content: bytes) -> Any:
    """The plain values in a YAML document; raises ValueError, with a reason, for one that is wrong or not small."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"{len(content)} bytes are more than the {MOST_BYTES} that it may have")
    try:
        loader = _SmallLoader(content.decode("utf-8"))
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    except OverflowError:  # 1:0:0: ... is a number to the base of 60
        raise ValueError("a number is too large") from None


class _SmallLoader(yaml.SafeLoader):
    """Stops at the first event that is too much, before what comes after it is read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise yaml.YAMLError(f"it has the anchor or alias {event.anchor}, write out what it stands for")
        if event.tag is not None:
            raise yaml.YAMLError(f"it has the tag {event.tag}, which has no place here")
        self._nodes += 1
        self._depth += 1
        if self._nodes > _MOST_NODES or self._depth > _MOST_DEPTH:
            raise yaml.YAMLError(f"it has more than {_MOST_NODES} values, or nests them deeper than {_MOST_DEPTH}")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode) and node.tag != _TEXT and len(node.value) > _MOST_DIGITS:
            raise yaml.YAMLError(f"a number in it has {len(node.value)} digits")
        return node
