"""One URDF out of a robot's files: the arm, its gripper and the clamp's frame, every mesh found."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from perception.errors import RobotError
from perception.robot import Mimic, pose_of
from sim.robots.elements import check_numbers, numbers, origin_of, set_origin
from sim.robots.schema import DescriptionFields
from sim.robots.sdf import urdf_of
from sim.robots.sources import find_file, find_mesh

CLAMP = "clamp"
FRAME_MASS_KG, FRAME_INERTIA_KG_M2 = 1e-3, 1e-6
KINDS = ("revolute", "continuous", "prismatic", "fixed")


def assemble(path: Path, fields: DescriptionFields) -> Element:
    """The `robot` element of the description at `path`: its base first, parents before children.

    Mesh names are absolute paths, and every visual carries its colour. Raises RobotError that names the file and
    the element that cannot be used.
    """
    if not fields.urdf:
        raise RobotError(f"{path} names no `urdf`: add it, or import the robot with `blockworld robot import`.")
    asks = f"the robot {fields.name} ({path})"
    packages = {name: path.parent / Path(folder).expanduser() for name, folder in fields.packages.items()}
    source = find_file(fields.urdf, path.parent, asks)
    robot = _read(source, packages)
    for attachment in fields.attach:
        file = find_file(attachment.file, path.parent, asks)
        gripper = _read(file, packages)
        _require_link(gripper, attachment.root, f"{file} has no link {attachment.root}, `root` of the attachment")
        _require_link(robot, attachment.link, f"{path}: attach: {source} has no link {attachment.link}")
        kept = list(_below(gripper, attachment.root))
        _refuse_twins(robot, kept, file)
        robot.extend(kept)
        pose = pose_of(attachment.xyz, attachment.rpy)
        robot.append(_fixed_joint(f"{attachment.root}_attachment", attachment.link, attachment.root, pose))
    for link in fields.drop:
        _require_link(robot, link, f"{path}: drop: there is no link {link}")
        _remove(robot, link)
    for name, position in fields.fixed.items():
        _fix(_joint(robot, name, f"{path}: fixed"), position)
    for name, coupling in fields.mimic.items():
        _couple(_joint(robot, name, f"{path}: mimic"), coupling)
    _require_link(robot, fields.base, f"{path}: base: {source} has no link {fields.base}")
    _require_link(robot, fields.clamp.link, f"{path}: clamp: there is no link {fields.clamp.link}")
    if CLAMP in _links(robot):
        raise RobotError(f"{source} has a link named clamp, which Blockworld adds itself: rename it there.")
    robot.append(Element("link", name=CLAMP))
    place = pose_of(fields.clamp.xyz, fields.clamp.rpy)
    robot.append(_fixed_joint("clamp_joint", fields.clamp.link, CLAMP, place))
    whole = Element("robot", name=fields.name)
    whole.extend(_below(robot, fields.base))
    _weigh(whole)
    return whole


def _weigh(robot: Element) -> None:
    """Give links without an inertia, which are frames, next to none: PyBullet would take 1 kg and 1 kg m2."""
    for link in robot.findall("link"):
        if link.find("inertial") is None:
            inertial = SubElement(link, "inertial")
            SubElement(inertial, "mass", value=repr(FRAME_MASS_KG))
            moments = dict.fromkeys(("ixy", "ixz", "iyz"), "0")
            SubElement(inertial, "inertia", moments | dict.fromkeys(("ixx", "iyy", "izz"), repr(FRAME_INERTIA_KG_M2)))


def _read(source: Path, packages: Mapping[str, Path]) -> Element:
    if source.suffix == ".xacro":
        raise RobotError(f"{source} is a xacro file: expand it with `xacro {source.name} > robot.urdf`.")
    try:
        root = ElementTree.parse(source).getroot()
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the latter two for unknown encodings
        raise RobotError(f"{source} is no XML ({error}): correct it there.") from None
    except OSError as error:
        raise RobotError(f"{source} cannot be read ({error.strerror}): make it readable.") from None
    robot = urdf_of(root, source) if root.tag == "sdf" else root
    if robot.tag != "robot":
        raise RobotError(f"{source} begins with <{robot.tag}>: give a URDF (<robot>) or an SDF (<sdf>) file.")
    _check_names(robot, source)
    for element in (one for kind in ("link", "joint", "material") for one in robot.findall(kind)):
        check_numbers(element, source)
    _check_joints(robot, source)
    _refuse_loops(robot, source)
    colours = {
        material.get("name"): colour.get("rgba")
        for material in robot.iter("material")
        if (colour := material.find("color")) is not None
    }
    for link in robot.findall("link"):
        for shape in [*link.findall("visual"), *link.findall("collision")]:
            _settle(shape, f"link {link.get('name')}", source, packages, colours)
    return robot


def _settle(
    shape: Element, owner: str, source: Path, packages: Mapping[str, Path], colours: Mapping[str | None, str | None]
) -> None:
    """Give a visual or collision its mesh's absolute path and its own colour."""
    mesh = shape.find("geometry/mesh")
    if mesh is not None:
        found = find_mesh(mesh.get("filename", ""), source, packages, owner)
        mesh.set("filename", str(found.resolve()))
    for material in shape.findall("material"):
        shape.remove(material)
        if rgba := colours.get(material.get("name")):
            SubElement(SubElement(shape, "material", name=f"rgba {rgba}"), "color", rgba=rgba)


def _check_names(robot: Element, source: Path) -> None:
    for kind in ("link", "joint"):
        seen = set[str]()
        for number, element in enumerate(robot.findall(kind), 1):
            name = element.get("name")
            if not name:
                raise RobotError(f"{source}: {kind} number {number} has no name: give it one of its own.")
            if name in seen:
                raise RobotError(f"{source}: there are two {kind}s named {name}: rename one of them.")
            seen.add(name)


def _check_joints(robot: Element, source: Path) -> None:
    links, children = _links(robot), set[str]()
    if not links:
        raise RobotError(f"{source} has no links: give a robot's URDF.")
    for joint in robot.findall("joint"):
        name, kind = joint.get("name", ""), joint.get("type", "")
        for end in ("parent", "child"):
            if (link := _end(joint, end)) not in links:
                raise RobotError(f"{source}: joint {name} has the {end} {link!r}, but there is no such link: add it.")
        if (child := _end(joint, "child")) in children:
            raise RobotError(f"{source}: link {child} is the child of two joints: give it one parent.")
        children.add(child)
        if kind not in KINDS:
            raise RobotError(f"{source}: joint {name} is of type {kind!r}: use one of {', '.join(KINDS)}.")
        axis = joint.find("axis")
        direction = numbers(axis.get("xyz", "")) if axis is not None else [1.0, 0.0, 0.0]
        if kind != "fixed" and (len(direction) != 3 or not np.linalg.norm(direction) > 0):
            raise RobotError(f"{source}: joint {name} has the axis {direction}: give a direction of three numbers.")


def _refuse_loops(robot: Element, source: Path) -> None:
    above = {_end(joint, "child"): _end(joint, "parent") for joint in robot.findall("joint")}
    for link in _links(robot):
        here, steps = link, 0
        while here in above:
            here, steps = above[here], steps + 1
            if steps > len(above):
                raise RobotError(f"{source}: link {link} hangs on itself in a loop of joints: cut the loop.")


def _below(robot: Element, root: str) -> Iterator[Element]:
    """Link `root` and all that hangs on it, in the order of the file, parents before children."""
    yield next(link for link in robot.findall("link") if link.get("name") == root)
    for joint in robot.findall("joint"):
        if _end(joint, "parent") == root:
            yield joint
            yield from _below(robot, _end(joint, "child"))


def _remove(robot: Element, link: str) -> None:
    gone = list(_below(robot, link))
    holds = [joint for joint in robot.findall("joint") if _end(joint, "child") == link]
    for element in [*gone, *holds]:
        robot.remove(element)


def _fix(joint: Element, position: float) -> None:
    pose, axis = origin_of(joint), _axis(joint)
    if joint.get("type") == "prismatic":
        pose[:3, 3] += pose[:3, :3] @ (position * axis)
    elif joint.get("type") != "fixed":
        x, y, z = axis
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        turn = np.eye(3) + np.sin(position) * cross + (1.0 - np.cos(position)) * cross @ cross
        pose[:3, :3] = pose[:3, :3] @ turn
    joint.set("type", "fixed")
    set_origin(joint, pose)
    _couple(joint, None)


def _couple(joint: Element, coupling: Mimic | None) -> None:
    for old in joint.findall("mimic"):
        joint.remove(old)
    if coupling is not None:
        fields = {"multiplier": repr(coupling.multiplier), "offset": repr(coupling.offset)}
        SubElement(joint, "mimic", {"joint": coupling.joint, **fields})


def _axis(joint: Element) -> np.ndarray:
    """(3,) unit vector; URDF's default is x."""
    axis = joint.find("axis")
    direction = np.array(numbers(axis.get("xyz", "1 0 0")) if axis is not None else [1.0, 0.0, 0.0])
    return direction / np.linalg.norm(direction)


def _fixed_joint(name: str, parent: str, child: str, pose: np.ndarray) -> Element:
    joint = Element("joint", name=name, type="fixed")
    SubElement(joint, "parent", link=parent)
    SubElement(joint, "child", link=child)
    set_origin(joint, pose)
    return joint


def _joint(robot: Element, name: str, field: str) -> Element:
    for joint in robot.findall("joint"):
        if joint.get("name") == name:
            return joint
    known = ", ".join(joint.get("name", "") for joint in robot.findall("joint"))
    raise RobotError(f"{field}: there is no joint {name}; the joints are {known}.")


def _require_link(robot: Element, link: str, complaint: str) -> None:
    if link not in (links := _links(robot)):
        raise RobotError(f"{complaint}; the links are {', '.join(links)}.")


def _refuse_twins(robot: Element, added: list[Element], file: Path) -> None:
    for kind in ("link", "joint"):
        names = {element.get("name") for element in robot.findall(kind)}
        for element in added:
            if element.tag == kind and element.get("name") in names:
                raise RobotError(f"{file}: the arm has a {kind} {element.get('name')} too: rename one of them.")


def _links(robot: Element) -> list[str]:
    return [link.get("name", "") for link in robot.findall("link")]


def _end(joint: Element, end: str) -> str:
    found = joint.find(end)
    return "" if found is None else found.get("link", "")
