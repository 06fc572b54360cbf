"""`blockworld up`: bad input in one sentence with exit code 2, and Ctrl-C that leaves no process behind."""

import signal
import subprocess
import sys
import threading

import pytest
from real_graph import START_S, WORLD

from blockworld.cli import blockworld
from perception.errors import BlockworldError
from perception.ros_environment import free_domain_id

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from rcl_interfaces.srv import GetParameters


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nope"], "there is no graph 'nope'; the graphs are localize, demo, grasp_transfer."),
        (["localize", "colour:=red"], "graph 'localize' has no argument 'colour'"),
        (["localize", "models=here"], "'models=here' is not of the form name:=value"),
        (["localize", "rviz:=true"], "'rviz2' is not installed here"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # without a sourced ROS 2, which has RViz
    with pytest.raises(BlockworldError) as caught:
        blockworld.main(["up", *arguments], standalone_mode=False)
    assert sentence in str(caught.value)


def test_a_domain_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", "1000")
    with pytest.raises(BlockworldError, match="ROS_DOMAIN_ID is '1000': set it to a whole number"):
        blockworld.main(["up", "localize"], standalone_mode=False)


class Up:
    """A running `blockworld up` and the lines that it has printed."""

    def __init__(self, environment, *arguments):
        command = [sys.executable, "-c", "from blockworld.cli import main; main()", "up", *arguments]
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.lines = []
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify()

    def wait_for(self, text):
        with self._news:
            said = self._news.wait_for(lambda: any(text in line for line in self.lines), START_S)
        assert said, "\n".join(self.lines)

    def output(self):
        return "\n".join(self.lines)


@pytest.fixture
def environment(ros, models):
    """A domain of its own, so that the nodes of other tests are not met."""
    return {**ros, "ROS_DOMAIN_ID": str(free_domain_id()), "BLOCKWORLD_MODELS": str(models)}


def test_up_runs_until_interrupted_and_refuses_a_second_graph_beside_it(environment):
    up = Up(environment, "localize", "use_sim:=true", f"world:={WORLD}")
    try:
        up.wait_for("localizer | [INFO]")
        up.wait_for("sim_world | [INFO]")
        second = Up(environment, "localize")
        assert second.process.wait(START_S) == 2
        second.wait_for(f"domain {environment['ROS_DOMAIN_ID']} already has a node 'localizer'")
        assert len(second.lines) == 1
    finally:
        up.process.send_signal(signal.SIGINT)
        code = up.process.wait(START_S)
    assert code == 0, up.output()
    assert "Traceback" not in up.output()
    up.wait_for("graph localize stopped.")
    third = subprocess.run(
        [sys.executable, "-m", "perception.nodes.running", "localizer", "sim_world"],
        env=environment, capture_output=True, text=True, timeout=START_S, check=True,
    )  # fmt: skip
    assert third.stdout == ""


def test_two_stacks_in_one_domain_do_not_meet(environment, tmp_path):
    """Each in a namespace of its own, the second with parameters from a file."""
    from perception.nodes.client import Client

    parameters = tmp_path / "two.yaml"
    parameters.write_text("/**/localizer:\n  ros__parameters: {timeout_s: 33.0}\n")
    given = ("localize", "use_sim:=true", f"world:={WORLD}", f"params_file:={parameters}")
    stacks = [Up(environment, *given, f"namespace:={name}") for name in ("one", "two")]
    try:
        for name, stack in zip(("one", "two"), stacks, strict=True):
            stack.wait_for(f"{name}/localizer | [INFO]")
            with Client("asks", int(environment["ROS_DOMAIN_ID"]), namespace=name) as client:
                client.wait_for_state("active", timeout_s=START_S)
                answer = client.localize("coarse")
                assert answer.success, answer.message
                topics = {topic for topic, _ in client.node.get_topic_names_and_types()}
                assert {f"/{name}/camera_1/image_raw", f"/{name}/joint_states", f"/{name}/localizer/estimate"} <= topics
                assert not {"/camera_1/image_raw", "/joint_states", "/localizer/estimate"} & topics
                request = GetParameters.Request(names=["timeout_s"])
                values = client.call(GetParameters, "localizer/get_parameters", request, START_S).values
                assert values[0].double_value == 33.0
    finally:
        for stack in stacks:
            stack.process.send_signal(signal.SIGINT)
        codes = [stack.process.wait(START_S) for stack in stacks]
    assert codes == [0, 0], "\n".join(stack.output() for stack in stacks)


@pytest.mark.fault("a node of a graph cannot start", "the graph ends with the node's name and reason")
def test_a_node_that_cannot_start_ends_the_graph_with_its_reason(environment):
    up = Up(environment, "demo", "world:=no_such_world")
    assert up.process.wait(START_S) == 1
    up.wait_for("blockworld: sim_world ended with exit code 2")
    assert "there is no simulated world 'no_such_world'" in up.output()
    assert "Traceback" not in up.output()
