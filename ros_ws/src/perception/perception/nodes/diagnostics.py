"""What the localizer says of itself on /diagnostics, once a second and in every state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from perception.durations import Durations
from perception.nodes.inputs import Source


@dataclass
class Health:
    """How the localizer is doing. last_problem: of the last estimate, "" where it was made. latency: from the oldest
    image of an estimate to its publication; frame_age: of the same image when the work on it began."""

    engine: str = ""
    models: dict[str, str] = field(default_factory=dict)
    frames: str = ""
    last_stage: str = ""
    last_problem: str = ""
    processing: Durations = field(default_factory=Durations)
    latency: Durations = field(default_factory=Durations)
    frame_age: Durations = field(default_factory=Durations)
    goals_done: int = 0
    goals_failed: int = 0
    estimates: int = 0
    without_estimate: int = 0

    def told(self) -> dict[str, str]:
        """By the names of the diagnostics."""
        return {
            "engine": self.engine,
            **{f"model {name}": version for name, version in self.models.items()},
            "tf": self.frames,
            "last stage": self.last_stage,
            "processing time (s), median": _number(self.processing.median_s),
            "processing time (s), longest": _number(self.processing.longest_s),
            "frame age (s), median": _number(self.frame_age.median_s),
            "frame age (s), longest": _number(self.frame_age.longest_s),
            "latency (s), median": _number(self.latency.median_s),
            "latency (s), longest": _number(self.latency.longest_s),
            "estimates": str(self.estimates),
            "estimates that failed": str(self.without_estimate),
            "goals done": str(self.goals_done),
            "goals failed": str(self.goals_failed),
        }


def source_status(name: str, source: Source, what: str, stale_after_s: float) -> DiagnosticStatus:
    """What came from a camera or the joints, and what of it could not be used; stale_after_s: the expected age."""
    age_s = source.age_s()
    if source.problem:
        level, message = DiagnosticStatus.ERROR, source.problem
    elif age_s is None:
        level, message = DiagnosticStatus.WARN, f"no {what} came yet on {source.topic}"
    elif age_s > stale_after_s:
        level, message = DiagnosticStatus.WARN, f"no {what} came on {source.topic} for {age_s:.1f} s"
    else:
        level, message = DiagnosticStatus.OK, "ok"
    values = {
        "topic": source.topic,
        "age (s)": _number(age_s),
        "age (s), expected": f"0 to {stale_after_s:g}",
        "delay (s)": _number(source.delay_s),
        "received": str(source.received),
        "used": str(source.used),
        "refused": str(source.refused.total()),
        **{f"refused: {kind}": str(count) for kind, count in sorted(source.refused.items())},
        "last refusal": source.last_problem,
    }
    return status(name, level, message, values)


def status(name: str, level: bytes, message: str, values: Mapping[str, str]) -> DiagnosticStatus:
    """The message of one part."""
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(name=name, level=level, message=message, values=pairs, hardware_id="")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
