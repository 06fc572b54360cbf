"""What the lifecycle nodes share: parameters checked before any work, transitions that say what went wrong,
diagnostics.

A transition that fails for a reason that a user can mend leaves the node in the state it was in; an unexpected error
takes it back to unconfigured. Either way the node goes on, and its diagnostics say why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from perception.errors import BlockworldError
from perception.nodes.diagnostics import status
from perception.nodes.runtime import declare, read_parameters, steady_timer

REPORT_S = 1.0
_NUMBER = re.compile(r"\d+(\.\d+)?")


class ManagedNode(LifecycleNode):
    """A lifecycle node with the parameters of a dataclass, which is told by `settings`.

    Subclasses do their work in `configured`, `activated`, `deactivated` and `cleaned_up`, of which the last two must
    do for any state that the node may be in.
    """

    PARAMETERS: ClassVar[type]
    ENDS_UNSTARTED: ClassVar[bool] = True
    """Whether a node that cannot start by itself (autostart) ends its process, rather than wait to be helped."""

    def __init__(self, name: str) -> None:
        """Raises BlockworldError for a bad parameter."""
        super().__init__(name)
        self.settings: Any = declare(self, self.PARAMETERS)
        self.state = "unconfigured"
        self.fault = ""
        self._warned = ""
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        steady_timer(self, REPORT_S, self._report)
        if self.settings.autostart:
            self._starter = steady_timer(self, 0.0, self._start)

    def configured(self) -> None:
        """Get what the node needs; raises BlockworldError for what a user can mend."""

    def activated(self) -> None:
        """Begin to work."""

    def deactivated(self) -> None:
        """Stop to work."""

    def cleaned_up(self) -> None:
        """Let go of everything."""

    def told(self) -> Mapping[str, str]:
        """What the diagnostics say of the node besides its state."""
        return {}

    @property
    def warning(self) -> str:
        """What is not as it should be while the node is active, "" for nothing."""
        return ""

    @property
    def full_name(self) -> str:
        """With the namespace before it, as in robot_1/localizer."""
        return str(self.get_fully_qualified_name()).lstrip("/")

    def statuses(self) -> list[DiagnosticStatus]:
        """What the node reports: of itself, then of what it depends on."""
        if self.fault:
            level, message = DiagnosticStatus.ERROR, self.fault
        elif self.state != "active":
            level, message = DiagnosticStatus.WARN, f"{self.state}: it works only when it is active"
        elif self.warning:
            level, message = DiagnosticStatus.WARN, self.warning
        else:
            level, message = DiagnosticStatus.OK, "active"
        return [status(self.full_name, level, message, {"state": self.state, **self.told()})]

    def _report(self) -> None:
        warning = self.warning if self.state == "active" else ""
        kind = _NUMBER.sub("#", warning)
        if warning and kind != self._warned:  # in the log once, not each time that a number in it has changed
            self.get_logger().warning(warning)
        self._warned = kind
        array = DiagnosticArray(status=self.statuses())
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _start(self) -> None:
        self.destroy_timer(self._starter)
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()
        if self.state != "active" and self.ENDS_UNSTARTED:
            raise BlockworldError(self.fault)

    # Transitions, in the words of rclpy

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Reads the parameters and gets what the node needs."""
        return self._transition("inactive", self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begins to work."""
        super().on_activate(state)  # first, so that what is published at once gets out
        return self._transition("active", self.activated)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stops to work."""
        result = self._transition("inactive", self.deactivated)
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lets go of everything."""
        return self._transition("unconfigured", self._clean_up)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The same from any state."""
        return self._transition("finalized", self._clean_up)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured, from where another try is possible; the fault stays in the diagnostics."""
        fault = self.fault
        self._transition("unconfigured", self._clean_up)
        self.fault = fault
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self.settings = read_parameters(self, self.PARAMETERS)
        try:
            self.configured()
        except BlockworldError:
            self.cleaned_up()
            raise

    def _clean_up(self) -> None:
        self.deactivated()
        self.cleaned_up()

    def _transition(self, state: str, act: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            act()
        except BlockworldError as error:
            return self._failed(str(error), TransitionCallbackReturn.FAILURE)
        except Exception as error:
            return self._failed(f"unexpected {type(error).__name__}: {error}", TransitionCallbackReturn.ERROR)
        self.state, self.fault = state, ""
        return TransitionCallbackReturn.SUCCESS

    def _failed(self, fault: str, result: TransitionCallbackReturn) -> TransitionCallbackReturn:
        self.fault = fault
        self.get_logger().error(fault)
        return result

    def destroy_node(self) -> None:
        """Let go of everything, then end the node."""
        self._clean_up()
        super().destroy_node()
