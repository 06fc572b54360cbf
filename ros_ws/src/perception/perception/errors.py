"""Errors that a user can do something about; the message is one sentence that says what to do."""


class BlockworldError(Exception):
    """Base of all errors whose message is meant for the user: shown as it is, without a traceback."""


class BundleError(BlockworldError):
    """A model bundle is missing, damaged, or written for another version of this software."""


class EngineError(BlockworldError):
    """An inference engine is not available here or cannot run the bundle."""


class InputError(BlockworldError):
    """What a sensor or a file gives cannot be used; kind: what is wrong with it in a word or two, to count by."""

    def __init__(self, message: str, kind: str = "other") -> None:
        super().__init__(message)
        self.kind = kind


class ImageError(InputError):
    """An image cannot be read or has the wrong type, size or encoding."""


class ShapeError(InputError):
    """A shape cannot be read, or its points and triangles cannot be used."""


class LayersError(InputError):
    """Layers cannot be made, read, or shown as was asked for."""


class JointStateError(InputError):
    """Joint positions are missing, not finite, or outside the robot's limits."""


class LocalizationError(BlockworldError):
    """The given views do not determine what was asked for."""


class GraspTransferError(BlockworldError):
    """No grasp of the exemplars can be had on a new object."""


class RobotError(BlockworldError, ValueError):
    """A robot is not known, or its files cannot be used."""


_LONGEST_REASON = 300


def reason(what: object) -> str:
    """What a library or a file says, fit for a sentence on a terminal: its first line, shortened, without control
    characters."""
    line = next(iter(str(what).splitlines()), "") or type(what).__name__
    shown = "".join(one if one.isprintable() else "?" for one in line[:_LONGEST_REASON])
    return shown + ("..." if len(line) > _LONGEST_REASON else "")
