"""The traps of PyBullet's software renderer stay closed."""

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures_renderers import centroid, covered, outline
from fixtures_scenes import BLACK, EVEN, RED, camera, cluttered, pose, table, textured
from scipy import ndimage

from sim import textures
from sim.bullet import pybullet
from sim.meshes import Mesh, load_mesh
from sim.renderers import RENDERERS, Shot, bullet_stage, open_renderer, tiny
from sim.renderers.agreement import overlap
from sim.renderers.bullet_stage import BulletStage, wavefront
from sim.renderers.tiny import Samples
from sim.renderers.tiny_light import Lighting, tilted
from sim.scene import BLOCK, ROOM, SUPPORT, Body, Light, Material, Texture, View

SIZE = (120, 90)


@pytest.fixture(scope="module")
def renderer():
    opened = open_renderer("tiny")
    yield opened
    opened.close()


def picture(renderer, scene, size=SIZE):
    return renderer.render(scene, [Shot.whole(scene.cameras[0], *size)])[0].rgb.astype(float)


def lit(scene, **changes):
    return replace(scene, lights=(replace(scene.lights[0], **changes), *scene.lights[1:]))


def resident_mib():
    gc.collect()
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize(
    "change",
    [
        {"intensity": 0.1},
        {"rgb": (1.0, 0.3, 0.3)},
        {"vector": (-0.6, -0.6, 0.53)},
        {"shadow": False},
        {"kind": "point", "vector": (0.5, 0.1, 0.5)},
    ],
)
def test_every_property_of_the_light_has_an_effect_and_none_of_it_stays(renderer, change):
    scene = table(environment=replace(EVEN, ambient=0.2))
    before = picture(renderer, scene)
    assert np.abs(picture(renderer, lit(scene, **change)) - before).mean() > 0.25
    assert np.array_equal(picture(renderer, scene), before)


def test_every_light_argument_is_passed_in_every_call():
    names = {"lightDirection", "lightColor", "lightDistance", "shadow"}
    names |= {f"light{kind}Coeff" for kind in ("Ambient", "Diffuse", "Specular")}
    for lights in ((), table().lights, textured().lights):
        assert set(Lighting.of(table(lights=lights), 64).arguments) == names


@pytest.mark.parametrize("up", [1.0, -1.0])
def test_a_light_straight_above_or_below_is_tilted(renderer, up):
    vertical = np.array([0.0, 0.0, up])
    assert 0.04 < np.hypot(*tilted(vertical)[:2]) < 0.06
    assert tilted(vertical) @ vertical > 0.99
    scene = lit(table(), vector=tuple(vertical))
    near = lit(table(), vector=(0.06, 0.0, up * 0.998))
    assert np.abs(picture(renderer, scene) - picture(renderer, near)).mean() < 1.5
    assert picture(renderer, scene).std() > 5


def test_a_grey_surface_is_as_bright_as_the_light_that_reaches_it(renderer):
    """Light adds up before it is displayed: 0.3 from everywhere and 0.4 from above send 0.7 of white's light back."""
    lamp = Light("directional", (0.0, 0.0, 1.0), intensity=0.4, shadow=False)
    scene = table(lights=(lamp,), environment=replace(EVEN, ambient=0.3))
    white = replace(scene.bodies[0], material=Material((1.0, 1.0, 1.0)))
    scene = replace(scene, bodies=(white,))
    frame = renderer.render(scene, [Shot.whole(scene.cameras[0], *SIZE)])[0]
    shown = np.median(frame.rgb[frame.segmentation == SUPPORT])
    assert shown == pytest.approx(255 * 0.7 ** (1 / 2.2), abs=4)


def test_light_from_everywhere_has_the_colour_of_the_sky(renderer):
    scene = table(lights=(), environment=replace(EVEN, sky=(1.0, 0.5, 0.25), ground=(1.0, 0.5, 0.25)))
    frame = renderer.render(scene, [Shot.whole(scene.cameras[0], *SIZE)])[0]
    red, green, blue = np.median(frame.rgb[frame.segmentation == SUPPORT], axis=0)
    assert green / red == pytest.approx(0.5, abs=0.03)
    assert blue / red == pytest.approx(0.25, abs=0.03)


def test_shadows_are_the_same_in_a_crop_and_soft_for_a_large_lamp(renderer):
    """TinyRenderer's own shadow map is seen through the camera's frustum, so its crops have other shadows."""
    scene = lit(table(environment=replace(EVEN, ambient=0.2)), vector=(-0.3, 0.7, 0.65))
    post = Body("box", pose(0.55, -0.05, 0.1), RED, 16, (0.05, 0.05, 0.2))
    scene = replace(scene, bodies=(*scene.bodies, post))
    seen = scene.cameras[0]
    u, v = seen.project((0.6, -0.17, 0.0))[0].round()
    crop = Shot(seen, u - 30, v - 30, u + 30, v + 30, 60, 60)
    whole, part = renderer.render(scene, [Shot.whole(seen), crop])
    rows, columns = (slice(int(middle) - 30, int(middle) + 30) for middle in (v, u))
    assert np.abs(whole.rgb[rows, columns].astype(float) - part.rgb).mean() < 0.5
    tones = part.rgb[part.segmentation == SUPPORT].mean(axis=1)
    dark, bright = np.percentile(tones, (2, 98))
    assert dark < 0.7 * bright, "the shadow is in the crop"
    soft = renderer.render(lit(scene, radius=0.25), [crop])[0]
    between = [
        np.mean((one > dark + 8) & (one < bright - 8))
        for one in (tones, soft.rgb[soft.segmentation == SUPPORT].mean(axis=1))
    ]
    assert between[1] > 1.5 * between[0]


@pytest.mark.parametrize("oversampling", [1.0, 1.25, 2.0, 3.0, 4.0])
def test_one_sample_lies_at_each_pixels_centre(oversampling):
    """TinyRenderer samples pixel i at i from the left, and at i from the bottom."""
    seen = camera()
    shot = Shot(seen, 31.0, 17.5, 111.0, 97.5, 40, 40, oversampling)
    samples = Samples(shot)
    matrix = np.array(samples.projection_matrix()).reshape(4, 4).T
    for u, v in [(31.0, 17.5), (111.0, 97.5), (70.3, 50.1)]:
        place = np.array([u - seen.width / 2, seen.height / 2 - v, -seen.focal_px, 1.0])
        clip = matrix @ (place * (0.3, 0.3, 0.3, 1.0))
        x, y = (clip[:2] / clip[3] + 1) / 2 * (samples.width, samples.height)
        grid = np.arange(samples.height * samples.width).reshape(samples.height, samples.width)
        row, column = np.argwhere(grid == samples.at_centres(grid)[10, 20])[0]
        per_pixel = np.ceil(oversampling)
        pixel = shot.from_image(np.array([u, v]))
        assert column + (pixel[0] - 20.5) * per_pixel == pytest.approx(x, abs=1e-3)
        assert samples.height - 1 - row - (pixel[1] - 10.5) * per_pixel == pytest.approx(y, abs=1e-3)
    assert samples.at_centres(grid).shape == (40, 40)


def test_pictures_lie_where_the_camera_projects_them_without_a_shift_of_half_a_pixel(renderer):
    """Drawn as PyBullet has it, this silhouette lies half a rendered pixel to the right and above."""
    scene = table(robot_materials=(BLACK,), lights=(), environment=EVEN)
    for number in range(6):
        near = camera((1.0 - 0.05 * number, 0.5, 0.5), (0.46, 0.06 + 0.01 * number, 0.08), 300.0 + 20 * number)
        shot = Shot.whole(near, oversampling=1.0)
        found = renderer.render(replace(scene, views=(View(near),)), [shot])[0].segmentation == BLOCK
        expected = covered(outline(scene.block, shot), *reversed(found.shape)) > 0
        assert overlap(found, expected) > 0.995
        fine = covered(outline(scene.block, shot), *reversed(found.shape), finer=8)
        assert centroid(found) == pytest.approx(centroid(fine), abs=0.1)


def test_the_field_of_view_is_that_of_the_height_too(renderer):
    """In a portrait, a landscape and a picture with oblong pixels the block has the outline that it should."""
    scene = table(lights=(), environment=EVEN)
    for size, drawn in [((160, 320), (160, 320)), ((320, 160), (320, 160)), ((240, 240), (240, 120))]:
        near = camera((1.0, 0.5, 0.5), (0.46, 0.06, 0.08), 420.0, size)
        shot = Shot.whole(near, *drawn)
        found = renderer.render(replace(scene, views=(View(near),)), [shot])[0].segmentation == BLOCK
        assert overlap(found, covered(outline(scene.block, shot), *drawn) > 0) > 0.99


def test_a_texture_is_shown_right_side_up_and_as_often_as_it_repeats(renderer):
    """The first row of a picture is at v = 1, as in Wavefront's files; u runs to the right."""
    texture = Texture("marble", 5)
    board = Body("plane", pose(0.0, 0.0, 0.0), Material((1.0, 1.0, 1.0), texture), SUPPORT, (1.0, 1.0, 1.0))
    above = replace(camera(size=(128, 128)), focal_px=128.0, T_camera_base=np.diag([1.0, -1.0, -1.0, 1.0]))
    above.T_camera_base[2, 3] = 1.0
    aside = pose(0.0, 0.0, -5.0)
    scene = table(lights=(), environment=EVEN, views=(View(above),))
    scene = replace(scene, block=replace(scene.block, pose=aside), bodies=(board,), joints=scene.joints)
    shot = Shot(above, 64.0, 0.0, 128.0, 64.0, 64, 64)  # the quarter that the robot does not hide
    expected = textures.pixels(texture, bullet_stage.TEXTURE_SIZE).astype(float)
    seen = renderer.render(scene, [shot])[0]
    free = seen.segmentation == SUPPORT
    assert free.mean() > 0.3
    quarter = expected[:64, 64:]
    assert np.corrcoef(seen.rgb[free].ravel(), quarter[free].ravel())[0, 1] > 0.9
    twice = replace(scene, bodies=(replace(board, material=replace(board.material, repeats=2.0)),))
    seen = renderer.render(twice, [shot])[0]
    whole = expected.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.corrcoef(seen.rgb[free].ravel(), whole[free].ravel())[0, 1] > 0.8


def test_many_textures_and_meshes_take_no_more_memory_and_keep_their_pictures(renderer, monkeypatch):
    """PyBullet frees neither; the client is replaced in time, and equal scenes stay equal across that."""
    monkeypatch.setattr(bullet_stage, "MOST_TEXTURES", 8)
    monkeypatch.setattr(bullet_stage, "MOST_BODIES", 60)
    monkeypatch.setattr(textures, "pixels", textures.pixels.__wrapped__)  # that cache is not meant here
    scene = textured()
    first = picture(renderer, scene, (40, 30))

    def draw(number):
        bodies = tuple(
            replace(
                body,
                scale=tuple(np.array(body.scale) * (1 + 1e-3 * number)),
                material=replace(body.material, texture=Texture("noise", 10 * number + place % 3)),
            )
            for place, body in enumerate(scene.bodies)
        )
        picture(renderer, replace(scene, bodies=bodies, lights=(), environment=EVEN), (40, 30))

    for number in range(5):
        draw(number)
    before = resident_mib()
    for number in range(5, 40):
        draw(number)
    assert resident_mib() - before < 12, "105 textures alone would take 10 MiB"
    assert np.array_equal(picture(renderer, scene, (40, 30)), first)


def test_meshes_of_many_names_leave_no_files_behind(monkeypatch):
    monkeypatch.setattr(bullet_stage, "KEPT_MESHES", 3)
    stage = BulletStage()
    folder = Path(stage._folder.name)
    try:
        for repeats in range(1, 9):
            material = Material((1.0, 1.0, 1.0), Texture("noise", 1), float(repeats))
            stage.show([Body("box", np.eye(4), material, BLOCK)], np.ones(3))
        assert len(list(folder.glob("*.obj"))) == 3
    finally:
        stage.close()
    assert not folder.exists()
    stage.close()


def test_files_that_other_clients_have_read_stay_in_memory(renderer, tmp_path):
    """Keeping files is a switch of the whole process; physics would load its meshes anew at each reset."""
    picture(renderer, cluttered())
    path = tmp_path / "box.obj"
    path.write_text(wavefront(load_mesh("box")))
    client = pybullet.connect(pybullet.DIRECT)
    try:
        for _ in range(2):
            shape = pybullet.createCollisionShape(pybullet.GEOM_MESH, fileName=str(path), physicsClientId=client)
            assert shape >= 0
            path.unlink(missing_ok=True)
    finally:
        pybullet.disconnect(client)


def test_a_mesh_file_holds_the_mesh_scaled():
    """PyBullet would scale the vertices alone: a flattened ball would be lit as a round one."""
    sphere, scale = load_mesh("sphere"), (0.4, 0.4, 0.1)
    moved = Mesh(sphere.vertices, sphere.normals, sphere.uv - 0.7, sphere.faces)
    lines = [line.split() for line in wavefront(moved, 3.0, scale).splitlines()]
    vertices, uv, normals = (
        np.array([[float(word) for word in rest] for first, *rest in lines if first == kind])
        for kind in ("v", "vt", "vn")
    )
    faces = np.array([[int(word.split("/")[0]) for word in rest] for first, *rest in lines if first == "f"])
    assert vertices == pytest.approx(sphere.vertices * scale, abs=1e-6)
    assert np.array_equal(faces - 1, sphere.faces)
    ellipsoid = vertices / np.array(scale) ** 2
    ellipsoid /= np.linalg.norm(ellipsoid, axis=1, keepdims=True)
    assert np.sum(normals * ellipsoid, axis=1).min() > 0.98
    assert uv.min() >= 0, "PyBullet does not wrap negative coordinates"
    shift = uv - 3.0 * (sphere.uv - 0.7)
    assert shift == pytest.approx(np.broadcast_to(np.rint(shift[0]), shift.shape), abs=1e-4)


def test_walls_cast_no_shadows(renderer):
    """A lamp may stand behind a wall."""
    scene = cluttered()
    behind = lit(scene, vector=(-0.8, 0.0, 0.6))
    open_air = replace(behind, bodies=tuple(body for body in scene.bodies if body.label != ROOM))
    shot = Shot.whole(scene.cameras[0], *SIZE)
    with_wall, without = (renderer.render(one, [shot])[0] for one in (behind, open_air))
    floor = ndimage.binary_erosion(with_wall.segmentation == SUPPORT)
    assert np.array_equal(with_wall.rgb[floor], without.rgb[floor])


def test_the_plugin_with_the_wrong_textures_is_not_offered():
    assert not [name for name in RENDERERS if "egl" in name or "opengl" in name]
    assert "ER_BULLET_HARDWARE_OPENGL" not in Path(tiny.__file__).read_text()
