"""A model of an SDF file (sdformat.org, 1.5 and 1.6) as URDF elements: what grippers need, no plugins or sensors."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from perception.errors import RobotError
from perception.robot import pose_of
from sim.robots.elements import checked, set_origin

KINDS = {"revolute", "prismatic", "fixed", "continuous"}


def urdf_of(sdf: Element, source: Path) -> Element:
    """The first model as a `robot` element; mesh names stay as they are, relative to `source`."""
    model = next(sdf.iter("model"), None)
    if model is None:
        raise RobotError(f"{source} holds no model: give an SDF file with a model in it.")
    robot = Element("robot", name=model.get("name", ""))
    poses = {link.get("name", ""): _pose(link, link, source) for link in model.findall("link")}
    for link in model.findall("link"):
        robot.append(_link(link, source))
    for joint in model.findall("joint"):
        robot.append(_joint(joint, poses, source))
    return robot


def _link(link: Element, source: Path) -> Element:
    made = Element("link", name=link.get("name", ""))
    inertial = link.find("inertial")
    if inertial is not None:
        made.append(_inertial(inertial, _pose(inertial, link, source)))
    for kind in ("visual", "collision"):
        for shape in link.findall(kind):
            element = SubElement(made, kind)
            set_origin(element, _pose(shape, link, source))
            geometry = shape.find("geometry")
            if geometry is not None:
                element.append(_geometry(geometry))
            diffuse = shape.findtext("material/diffuse")
            if kind == "visual" and diffuse:
                material = SubElement(element, "material", name="")
                SubElement(material, "color", rgba=diffuse)
    return made


def _inertial(inertial: Element, pose: np.ndarray) -> Element:
    made = Element("inertial")
    set_origin(made, pose)
    SubElement(made, "mass", value=inertial.findtext("mass", "1.0").strip())
    names = ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
    inertia = {name: inertial.findtext(f"inertia/{name}", "0.0").strip() for name in names}
    SubElement(made, "inertia", inertia)
    return made


def _geometry(geometry: Element) -> Element:
    made = Element("geometry")
    for shape in geometry:
        fields = {child.tag: (child.text or "").strip() for child in shape}
        if shape.tag == "mesh":
            fields = {"filename": fields.get("uri", ""), "scale": fields.get("scale", "1 1 1")}
        SubElement(made, shape.tag, fields)
    return made


def _joint(joint: Element, poses: dict[str, np.ndarray], source: Path) -> Element:
    name, kind = joint.get("name", ""), joint.get("type", "")
    parent, child = joint.findtext("parent", "").strip(), joint.findtext("child", "").strip()
    if missing := [link for link in (parent, child) if link not in poses]:
        raise RobotError(f"{source}: joint {name} names the link {missing[0]}, which is not there: correct it.")
    if kind not in KINDS or np.any(_pose(joint, joint, source) != np.eye(4)):
        raise RobotError(
            f"{source}: joint {name} is {kind or 'of no type'} or has a frame apart from its child's, which is "
            "not read from SDF: give the gripper as URDF."
        )
    made = Element("joint", name=name, type=kind)
    SubElement(made, "parent", link=parent)
    SubElement(made, "child", link=child)
    set_origin(made, np.linalg.inv(poses[parent]) @ poses[child])
    if kind != "fixed":
        axis = np.array(checked(joint.findtext("axis/xyz", "0 0 1"), 3, f"{source}: joint {name}: its axis"))
        if joint.findtext("axis/use_parent_model_frame", "0").strip() in ("1", "true"):
            axis = poses[child][:3, :3].T @ axis
        SubElement(made, "axis", xyz=" ".join(repr(float(value)) for value in axis))
        limit = {side: joint.findtext(f"axis/limit/{side}", "").strip() for side in ("lower", "upper", "effort")}
        SubElement(made, "limit", {side: text for side, text in limit.items() if text} | {"velocity": "1.0"})
    return made


def _pose(element: Element, owner: Element, source: Path) -> np.ndarray:
    """(4, 4) of a link's or joint's pose, or of that of an element in it."""
    what = "its pose" if element is owner else f"the pose of its {element.tag}"
    place = f"{source}: {owner.tag} {owner.get('name')}: {what}"
    values = checked(element.findtext("pose", "0 0 0 0 0 0"), 6, place)
    return pose_of(values[:3], values[3:])
