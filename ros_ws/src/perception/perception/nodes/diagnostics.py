"""What the localizer says of itself on /diagnostics, once a second and in every state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.time import Time

from perception.nodes.inputs import Source


@dataclass
class Health:
    """The localizer's own condition. fault: what keeps it from working, "" for nothing."""

    state: str = "unconfigured"
    fault: str = ""
    engine: str = ""
    models: dict[str, str] = field(default_factory=dict)
    frames: str = ""
    last_stage: str = ""
    last_problem: str = ""
    last_processing_s: float | None = None
    goals_done: int = 0
    goals_failed: int = 0


def diagnostics(
    node: str,
    health: Health,
    cameras: Mapping[str, Source],
    joints: Source | None,
    stale_after_s: float,
    now: Time,
) -> DiagnosticArray:
    """The message: one status for the node, one for each camera, one for the joint states."""
    array = DiagnosticArray()
    array.header.stamp = now.to_msg()
    array.status.append(_node_status(node, health))
    for camera, source in cameras.items():
        array.status.append(_source_status(f"{node}: {camera}", source, "image", stale_after_s))
    if joints is not None:
        array.status.append(_source_status(f"{node}: joint states", joints, "joint state", stale_after_s))
    return array


def _node_status(node: str, health: Health) -> DiagnosticStatus:
    if health.fault:
        level, message = DiagnosticStatus.ERROR, health.fault
    elif health.state != "active":
        level, message = DiagnosticStatus.WARN, f"{health.state}: goals are refused until it is active"
    elif health.last_problem:
        level, message = DiagnosticStatus.WARN, health.last_problem
    else:
        level, message = DiagnosticStatus.OK, "active"
    values = {
        "state": health.state,
        "engine": health.engine,
        **{f"model {name}": version for name, version in health.models.items()},
        "tf": health.frames,
        "last stage": health.last_stage,
        "last processing time (s)": _number(health.last_processing_s),
        "goals done": str(health.goals_done),
        "goals failed": str(health.goals_failed),
    }
    return _status(f"{node}: localization", level, message, values)


def _source_status(name: str, source: Source, what: str, stale_after_s: float) -> DiagnosticStatus:
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
        "received": str(source.received),
        "refused": str(source.refused),
        "last refusal": source.last_problem,
    }
    return _status(name, level, message, values)


def _status(name: str, level: bytes, message: str, values: Mapping[str, str]) -> DiagnosticStatus:
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(name=name, level=level, message=message, values=pairs, hardware_id="")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
