"""The grasp_transfer node over DDS: shapes in, grasps out, and a sentence for whatever cannot be answered."""

import time

import numpy as np
import pytest
from real_graph import START_S, running

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from diagnostic_msgs.msg import DiagnosticArray
from feed import Diagnosed
from perception_interfaces.srv import TransferGrasp
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from perception.graph import GRAPHS
from perception.hand import PANDA
from perception.nodes.messages import transform_of
from perception.nodes.shape_messages import cloud_message, mesh_message
from perception.shapes.sampling import area_samples
from perception.shapes.shape import Shape
from sim.shapes import make

NODE = "grasp_transfer"
ANSWER_S = 200.0  # a fit takes seconds, but the machine may be busy
LONGEST_SILENCE_S = 5.0  # of diagnostics that come each second


@pytest.fixture(scope="module")
def graph(ros):
    """The graph grasp_transfer, active, for mugs alone."""
    nodes = GRAPHS[NODE].resolve({"categories": "mug"})
    with running(nodes, ros) as graph:
        graph.client.wait_for_state("active", NODE, timeout_s=START_S)
        yield graph


@pytest.fixture(scope="module")
def diagnosed(graph):
    return Diagnosed(graph.client)


@pytest.fixture(scope="module")
def mug() -> Shape:
    """One that no network or annotation was made from: seed 71 is that of these tests."""
    made = make("mug", 71, 0)
    return Shape(made.vertices, made.faces)


def ask(graph, request: TransferGrasp.Request) -> TransferGrasp.Response:
    return graph.client.call(TransferGrasp, "transfer_grasp", request, ANSWER_S)


def poses(answer: TransferGrasp.Response) -> np.ndarray:
    return np.stack([transform_of(grasp.pose) for grasp in answer.grasps])


def check_grasps(answer: TransferGrasp.Response, points: np.ndarray) -> None:
    """They are of the object, the best first, and of a hand that gets around it."""
    scores = [grasp.score for grasp in answer.grasps]
    assert scores == sorted(scores, reverse=True) and 0 < scores[0] <= 1
    for grasp, pose in zip(answer.grasps, poses(answer), strict=True):
        assert 0 < grasp.width_m < grasp.opening_m <= PANDA.opening_m
        assert grasp.exemplar
        assert ((points.min(axis=0) - 0.02 < pose[:3, 3]) & (pose[:3, 3] < points.max(axis=0) + 0.02)).all()


def test_a_mesh_is_answered_with_grasps_while_diagnostics_go_on(graph, diagnosed, mug):
    client, came = graph.client, []
    listening = client.node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda _: came.append(time.monotonic()), 10
    )
    client.watch(MarkerArray, f"/{NODE}/markers")
    begin = time.monotonic()
    answer = client.transfer_grasp("mug", mug, "table", most=3, timeout_s=ANSWER_S)
    took_s = time.monotonic() - begin
    client.node.destroy_subscription(listening)
    assert answer.success and answer.message == "", answer.message
    assert answer.header.frame_id == "table" and answer.header.stamp.sec > 0
    assert 1 <= len(answer.grasps) <= 3
    check_grasps(answer, mug.points)
    assert answer.model.startswith("shapes_mug ") and answer.engine == "onnxruntime-cpu"
    assert 0 < answer.duration_s <= took_s
    assert max(np.diff([begin, *came, begin + took_s])) < LONGEST_SILENCE_S

    assert client.spin_until(lambda: f"/{NODE}/markers" in client.latest, START_S)
    clear, points, *boxes = client.latest[f"/{NODE}/markers"].markers
    assert clear.action == Marker.DELETEALL
    assert points.type == Marker.POINTS and 1000 < len(points.points) <= 5000
    assert len(boxes) == len(answer.grasps) * len(PANDA.boxes(0.0))
    green = [box for box in boxes if box.color.g > box.color.r]
    assert {box.ns for box in green} == {"grasp 0"} and len(green) == len(PANDA.boxes(0.0))
    assert {marker.header.frame_id for marker in (points, *boxes)} == {"table"}

    assert diagnosed.counts(NODE, "answered")
    values = diagnosed.values(NODE)
    assert values["categories"] == "mug" and values["model mug"] == answer.model
    assert values["last answer"] == f"{len(answer.grasps)} grasps of a mug"
    assert float(values["processing time (s), longest"]) > 0


def test_a_cloud_of_one_side_over_a_support_is_answered(graph, mug):
    """Organised, with points that were not seen, and away from the frame's origin."""
    turn, shift = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]), np.array([0.5, -0.2, 0.7])
    rng = np.random.default_rng(7)
    points, face, _ = area_samples(mug, 120 * 160, rng)
    seen = points @ turn.T + shift
    first, second, third = (mug.points[mug.faces[face, corner]] for corner in range(3))
    seen[np.cross(second - first, third - first) @ [0.5, -0.4, 0.77] <= 0] = np.nan
    picture = seen.reshape(120, 160, 3)
    request = TransferGrasp.Request(category="mug", has_support=True, support_height_m=0.7, most=4)
    request.cloud = cloud_message(picture, Header(frame_id="base"))
    answer = ask(graph, request)
    assert answer.success, answer.message
    assert answer.header.frame_id == "base" and 1 <= len(answer.grasps) <= 4
    check_grasps(answer, mug.points @ turn.T + shift)
    openings = np.array([grasp.opening_m for grasp in answer.grasps])
    assert (PANDA.lowest(poses(answer), openings) > 0.7).all()


def test_an_object_that_the_hand_cannot_take_is_answered_with_the_reason(graph, diagnosed, mug):
    above_m = float(mug.points[:, 2].max()) + 0.05
    answer = graph.client.transfer_grasp("mug", mug, "table", above_m, timeout_s=ANSWER_S)
    assert not answer.success and not answer.grasps
    assert "can be had on this object" in answer.message
    assert diagnosed.counts(NODE, "refused: no grasp")
    assert diagnosed.says(NODE, "can be had on this object")


def with_mesh(points, triangles, **fields):
    """A request for a mesh that need not be a shape."""
    mesh = mesh_message(Shape(np.eye(4, 3), np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)])))
    for vertex, place in zip(mesh.vertices, points, strict=False):
        vertex.x, vertex.y, vertex.z = (float(value) for value in place)
    mesh.vertices, mesh.triangles = mesh.vertices[: len(points)], mesh.triangles[:triangles]
    return TransferGrasp.Request(**{"category": "mug", "mesh": mesh, **fields})


def with_cloud(frame: str = "", spoil=lambda cloud: None, **fields):
    cloud = cloud_message(np.random.default_rng(1).normal(size=(50, 3)), Header(frame_id=frame))
    spoil(cloud)
    return TransferGrasp.Request(**{"category": "mug", "cloud": cloud, **fields})


CORNERS = np.eye(4, 3)
LINE = np.outer(np.arange(4), (1, 2, 3))
BAD = {
    "neither": ("shape count", TransferGrasp.Request(category="mug"), "neither mesh nor cloud: fill exactly one"),
    "both": ("shape count", with_mesh(CORNERS, 4, cloud=with_cloud().cloud), "both mesh and cloud"),
    "category": ("category", with_mesh(CORNERS, 4, category="hat"), "the category is 'hat': give one of those loaded"),
    "optical": ("frame", with_cloud("camera_optical_frame"), "whose z axis points into the scene"),
    "frames": ("frame", with_cloud("a", header=Header(frame_id="b")), "in frame 'b' and its cloud in 'a'"),
    "most": ("numbers", with_mesh(CORNERS, 4, most=-1), "most is -1"),
    "support": (
        "numbers",
        with_mesh(CORNERS, 4, has_support=True, support_height_m=float("nan")),
        "support_height_m is nan: give a finite number.",
    ),
    "one triangle": ("small", with_mesh(CORNERS, 1), "the mesh has one triangle"),
    "no triangle": ("small", with_mesh(CORNERS, 0), "the mesh has no triangles"),
    "no vertex": ("empty", with_mesh([], 4), "the shape is empty"),
    "not a number": ("nan", with_mesh([*CORNERS[:3], [np.nan] * 3], 4), "no numbers (NaN or infinite)"),
    "a line": ("degenerate", with_mesh(LINE, 4), "all in one place or on one line"),
    "huge": ("huge", with_mesh(1e12 * CORNERS, 4), "coordinates beyond"),
    "fields": ("fields", with_cloud(spoil=lambda cloud: cloud.fields.pop()), "the cloud lacks the field z"),
    "bytes": ("data length", with_cloud(spoil=lambda cloud: cloud.data.pop()), "the cloud holds 599 bytes"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_request_is_told_in_one_sentence_and_counted(graph, diagnosed, name):
    kind, request, sentence = BAD[name]
    before = int(diagnosed.values(NODE).get(f"refused: {kind}") or 0)
    answer = ask(graph, request)
    assert not answer.success and not answer.grasps
    assert sentence in answer.message
    assert "\n" not in answer.message and answer.message.endswith(".")
    assert diagnosed.counts(NODE, f"refused: {kind}", least=before + 1)


def test_one_request_at_a_time_and_none_when_it_is_not_active(graph, diagnosed, mug):
    client = graph.client
    request = TransferGrasp.Request(category="mug", mesh=mesh_message(mug))
    service = client.node.create_client(TransferGrasp, "transfer_grasp")
    assert client.spin_until(service.service_is_ready, START_S)
    first = service.call_async(request)
    assert client.spin_until(lambda: diagnosed.values(NODE).get("busy") == "True", START_S)
    second = ask(graph, request)
    assert not second.success and "another shape is being worked on" in second.message
    assert client.change_state("deactivate", NODE)
    assert client.spin_until(first.done, ANSWER_S)
    assert not first.result().success and "was deactivated" in first.result().message
    third = ask(graph, request)
    assert not third.success
    assert third.message == "the node grasp_transfer is inactive: activate it, then try again."
    assert diagnosed.counts(NODE, "refused: not active") and diagnosed.counts(NODE, "refused: busy")
    assert diagnosed.counts(NODE, "refused: interrupted")
    assert client.change_state("activate", NODE)


def test_a_request_that_takes_too_long_is_given_up(graph, mug):
    """The last one: it leaves the node with a short limit."""
    client = graph.client
    value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=1.0)
    change = SetParameters.Request(parameters=[Parameter(name="timeout_s", value=value)])
    assert client.call(SetParameters, f"/{NODE}/set_parameters", change, START_S).results[0].successful
    for transition in ("deactivate", "cleanup", "configure", "activate"):
        assert client.change_state(transition, NODE)
    answer = client.transfer_grasp("mug", mug, "table", timeout_s=ANSWER_S)
    assert not answer.success
    assert answer.message == "the transfer took longer than 1 s: raise timeout_s, or thin the shape."
