"""What the nodes survive: real processes over real DDS, and what they say meanwhile."""

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from feed import CAMERAS, Diagnosed, Feed, localizer_parameters
from fuzzer import Fuzzer
from perception_interfaces.msg import BlockEstimate
from real_graph import START_S, running

from perception.errors import BlockworldError
from perception.graph import NodeSpec

MALFORMED, BURST = 10_000, 100
CYCLES, CYCLES_A_SAMPLE = 200, 20
MOST_GROWTH_MB = 10.0
SAMPLES = 40  # of memory
SOAK_S = float(os.environ.get("BLOCKWORLD_SOAK_S", "20"))


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def handles(pid: int) -> tuple[int, int]:
    """Open files and threads of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), len(list(Path(f"/proc/{pid}/task").iterdir()))


def growth(samples: list[float]) -> float:
    """From the least of the second quarter to the least of the last: an estimate at work takes memory for a while, and
    buffers reach their size late where a machine is busy."""
    quarter = len(samples) // 4
    return min(samples[-quarter:]) - min(samples[quarter : 2 * quarter])


@pytest.mark.fault(
    "10,000 malformed messages from a seeded fuzzer",
    "no crash, no estimate, every kind counted in the diagnostics; good images work at once after them",
)
def test_malformed_messages_are_refused_and_counted_and_lead_to_no_estimate(ros, models):
    depth = {f"qos_overrides./{name}.subscription.depth": 2 * BURST for name in ("camera_1/image_raw", "joint_states")}
    parameters = localizer_parameters(models, cameras=["camera_1"], continuous="coarse", autostart=True, **depth)
    with running([NodeSpec("localizer", "localizer", parameters=parameters)], ros) as graph:
        client, part = graph.client, "localizer: localization"
        client.wait_for_state("active", timeout_s=START_S)
        feed = Feed(client, depth=2 * BURST)
        feed.stop()
        feed.cameras = ["camera_1"]
        diagnosed, estimates = Diagnosed(client), []
        client.node.create_subscription(BlockEstimate, "/localizer/estimate", estimates.append, 10)
        image, state = feed.images["camera_1"], feed.states
        assert client.spin_until(lambda: image.get_subscription_count() and state.get_subscription_count(), START_S)
        fuzzer = Fuzzer(7, feed.names, feed.joints)
        sent: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for number in range(MALFORMED):
            bad = fuzzer.next(feed.now_ns())
            (image if bad.of_image else state).publish(bad.message)
            sent[bad.of_image][bad.kind] += 1
            if number % BURST == BURST - 1:
                client.spin_until(lambda: False, 0.1)

        def counted() -> bool:
            parts = ((True, "localizer: camera_1"), (False, "localizer: joint states"))
            return all(
                int(diagnosed.values(name).get(f"refused: {kind}") or 0) >= count
                for of_image, name in parts
                for kind, count in sent[of_image].items()
                if kind
            )

        assert client.spin_until(counted, 30.0), (sent, [diagnosed.values(f"localizer: {n}") for n in CAMERAS])
        assert sum(map(Counter.total, sent.values())) == MALFORMED
        assert estimates == []
        assert graph.supervisor.poll() is None and client.state() == "active"
        assert diagnosed.values(part)["estimates"] == "0"
        feed.go_on()
        assert client.spin_until(lambda: len(estimates) >= 3, START_S)
        assert "Traceback" not in graph.output("localizer")


@pytest.mark.fault(
    "the clock jumps back (a bag that is played in a loop)",
    "what came before is forgotten; estimates go on; the jump is counted",
)
def test_a_clock_that_jumps_back_begins_anew(ros, models):
    from rosgraph_msgs.msg import Clock

    from perception.nodes.messages import time_message

    parameters = localizer_parameters(models, continuous="coarse", autostart=True, oldest_frame_s=2.0)
    node = NodeSpec("localizer", "localizer", parameters={**parameters, "use_sim_time": True})
    with running([node], ros) as graph:
        client, estimates = graph.client, []
        client.wait_for_state("active", timeout_s=START_S)
        client.node.create_subscription(BlockEstimate, "/localizer/estimate", estimates.append, 10)
        clock = client.node.create_publisher(Clock, "/clock", 10)
        start_ns, began_s = 1_000_000_000_000, time.monotonic()
        feed = Feed(client, rate_hz=10.0)

        def played_ns() -> int:
            return start_ns + int((time.monotonic() - began_s) * 1e9)

        feed.now_ns = played_ns
        client.node.create_timer(0.02, lambda: clock.publish(Clock(clock=time_message(played_ns()))))
        assert client.spin_until(lambda: len(estimates) >= 3, START_S)
        start_ns, began_s = 900_000_000_000, time.monotonic()  # 100 s earlier, and more than is kept
        client.spin_until(lambda: False, 1.0)
        estimates.clear()
        assert client.spin_until(lambda: len(estimates) >= 3, START_S)
        assert estimates[-1].header.stamp.sec < 1000
        assert client.localize("coarse").success
        diagnosed = Diagnosed(client)
        assert diagnosed.counts("localizer: localization", "clock set back")


@pytest.mark.fault(
    "the localizer is killed (-9) in a goal",
    "the client gets an error in one sentence; the node is started again, and the next goal works",
)
def test_a_localizer_killed_in_a_goal_is_an_error_and_the_next_goal_works(ros, models):
    parameters = localizer_parameters(models, autostart=True)
    with running([NodeSpec("localizer", "localizer", parameters=parameters, respawn=True)], ros) as graph:
        client = graph.client
        client.wait_for_state("active", timeout_s=START_S)
        feed = Feed(client)
        feed.cameras = ["camera_1"]  # so that the goal waits
        before = graph.supervisor.process_ids()["localizer"]

        def kill(feedback) -> None:
            if graph.supervisor.process_ids().get("localizer") == before:
                os.kill(before, signal.SIGKILL)

        def poll() -> None:
            assert graph.supervisor.poll() is None, "the graph ended"

        client.node.create_timer(0.2, poll)
        begin = time.monotonic()
        with pytest.raises(BlockworldError, match=r"went away|was started anew"):
            client.localize("coarse", on_feedback=kill, timeout_s=60.0)
        assert time.monotonic() - begin < 50.0
        client.wait_for_state("active", timeout_s=START_S)
        feed.cameras = list(CAMERAS)
        answer = client.localize("coarse")
        assert answer.success, answer.message


def test_a_goal_that_is_cancelled_ends_at_once(ros, models):
    from action_msgs.msg import GoalStatus
    from perception_interfaces.action import LocalizeBlock
    from rclpy.action import ActionClient

    parameters = localizer_parameters(models, autostart=True)
    with running([NodeSpec("localizer", "localizer", parameters=parameters)], ros) as graph:
        client = graph.client
        client.wait_for_state("active", timeout_s=START_S)
        action = ActionClient(client.node, LocalizeBlock, "localize_block")
        assert client.spin_until(action.server_is_ready, START_S)
        sent = action.send_goal_async(LocalizeBlock.Goal(stage="coarse", timeout_s=60.0))  # nobody publishes
        assert client.spin_until(sent.done, START_S)
        answer = sent.result().get_result_async()
        client.spin_until(lambda: False, 0.5)
        begin = time.monotonic()
        sent.result().cancel_goal_async()
        assert client.spin_until(answer.done, START_S)
        assert time.monotonic() - begin < 2.0
        assert answer.result().status == GoalStatus.STATUS_CANCELED
        assert "the goal was cancelled" in answer.result().result.message
        action.destroy()


@pytest.mark.fault(
    "200 cycles of configure, activate, deactivate, cleanup",
    "memory, open files and threads stay as they are",
)
def test_the_life_cycle_may_be_gone_through_again_and_again(ros, models):
    parameters = localizer_parameters(models, continuous="coarse")
    with running([NodeSpec("localizer", "localizer", parameters=parameters)], ros) as graph:
        client = graph.client
        client.wait_for_state("unconfigured", timeout_s=START_S)
        Feed(client, rate_hz=10.0)
        estimates = []
        client.node.create_subscription(BlockEstimate, "/localizer/estimate", estimates.append, 10)
        assert client.change_state("configure") and client.change_state("activate")
        assert client.spin_until(lambda: len(estimates) > 5, START_S)  # the networks' memory is kept from here on
        assert client.change_state("deactivate") and client.change_state("cleanup")
        pid, memory, open_now = graph.supervisor.process_ids()["localizer"], [], []
        for cycle in range(CYCLES):
            for transition in ("configure", "activate", "deactivate", "cleanup"):
                assert client.change_state(transition), f"{transition} of cycle {cycle}"
            if cycle % CYCLES_A_SAMPLE == CYCLES_A_SAMPLE - 1:
                memory.append(memory_mb(pid))
                open_now.append(handles(pid))
        assert growth(memory) < MOST_GROWTH_MB, memory
        assert max(open_now[-3:]) <= max(open_now[:3]), open_now
        assert client.change_state("configure") and client.change_state("activate")
        assert client.localize("coarse").success


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 40 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", place], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.fault(
    "the disk becomes full while a bag is recorded",
    "the bag is closed before, and can be read; ERROR in the diagnostics; the other nodes go on",
)
def test_a_bag_is_closed_before_the_disk_is_full(ros, models, small_disk):
    from rosbags.highlevel import AnyReader

    recorder = {
        "folder": str(small_disk / "bag"), "autostart": True, "only_used_images": False, "keep_free_mb": 10,
        "topics": ["camera_1/image_raw", "joint_states"],
    }  # fmt: skip
    nodes = [
        NodeSpec("localizer", "localizer", parameters=localizer_parameters(models, autostart=True)),
        NodeSpec("bag_recorder", "bag_recorder", parameters=recorder),
    ]
    with running(nodes, ros) as graph:
        client = graph.client
        for name in ("localizer", "bag_recorder"):
            client.wait_for_state("active", name, timeout_s=START_S)
        Feed(client, rate_hz=20.0)
        diagnosed = Diagnosed(client)
        assert diagnosed.says("bag_recorder", "is closed: less than 10 MB are free there", 60.0)
        assert client.localize("coarse").success
        with AnyReader([small_disk / "bag"]) as reader:
            kept = sum(1 for _ in reader.messages())
        assert kept == int(diagnosed.values("bag_recorder")["messages"]) > 20
        assert client.change_state("deactivate", "bag_recorder") and client.change_state("cleanup", "bag_recorder")
        assert not client.change_state("configure", "bag_recorder"), "its folder is taken"
        assert diagnosed.says("bag_recorder", "give a folder that does not exist yet")


@pytest.mark.fault("an hour of work (shortened in the tests)", "memory stays as it is; no estimate fails")
@pytest.mark.timeout(SOAK_S + 240.0)
def test_it_works_on_and_on(ros, models):
    parameters = localizer_parameters(models, continuous="coarse", autostart=True, oldest_frame_s=1.0)
    with running([NodeSpec("localizer", "localizer", parameters=parameters)], ros) as graph:
        client, estimates = graph.client, Counter()
        client.wait_for_state("active", timeout_s=START_S)

        def count(estimate: BlockEstimate) -> None:
            estimates["all"] += 1

        client.node.create_subscription(BlockEstimate, "/localizer/estimate", count, 10)
        Feed(client, rate_hz=10.0)
        diagnosed, pid = Diagnosed(client), graph.supervisor.process_ids()["localizer"]
        client.spin_until(lambda: estimates["all"] >= 50, START_S)  # buffers have grown
        memory = []
        for _ in range(SAMPLES):
            client.spin_until(lambda: False, SOAK_S / SAMPLES)
            memory.append(memory_mb(pid))
        assert growth(memory) < MOST_GROWTH_MB, memory
        assert estimates["all"] > SOAK_S
        assert diagnosed.values("localizer: localization")["estimates that failed"] == "0"
        assert graph.supervisor.poll() is None
