"""Draws pictures with Blender's Cycles for the process at the other end of its pipes.

A script of its own, so that Blender (GPL, and a numpy of its own) stays out of that process:

    python cycles_worker.py THREADS

It imports numpy, bpy and the standard library alone, says {"ready": ...}, then answers each request of
`sim.renderers.cycles` until its standard input ends. Whatever Blender prints goes to standard error.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from cycles_messages import receive, send
from cycles_nodes import surface, surround

LAMPS = {"directional": "SUN", "point": "POINT", "area": "AREA"}
GPU_KINDS = ("OPTIX", "CUDA", "HIP", "ONEAPI", "METAL")


class Studio:
    """Blender's one scene. Meshes, images and objects stay between requests; only what differs is made anew."""

    def __init__(self, bpy: Any, threads: int, scratch: Path) -> None:
        self.bpy = bpy
        self.scratch = scratch
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.meshes: dict[str, Any] = {}
        self.images: dict[str, Any] = {}
        self.surfaces: dict[str, Any] = {}
        self.objects: list[tuple[Any, str]] = []
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.scene.collection.objects.link(self.camera)
        self.scene.camera = self.camera
        self.scene.world = bpy.data.worlds.new("world")
        self.device = self._engine(threads)
        self._geometry_outputs()

    def _engine(self, threads: int) -> str:
        scene = self.scene
        scene.render.engine = "CYCLES"
        cycles = scene.cycles
        device = _find_gpu(self.bpy)
        cycles.device = "GPU" if device else "CPU"
        scene.render.threads_mode = "FIXED" if threads else "AUTO"
        if threads:
            scene.render.threads = threads
        scene.render.use_file_extension = False
        scene.render.dither_intensity = 0.0
        scene.render.resolution_percentage = 100
        scene.view_settings.view_transform = "Standard"
        scene.view_settings.look = "None"
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_indirect = 4.0
        cycles.blur_glossy = 1.0
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
        cycles.denoising_prefilter = "FAST"
        cycles.use_animated_seed = False
        cycles.use_light_tree = False  # pays where there are many lamps
        return device or "CPU"

    def _geometry_outputs(self) -> None:
        """Depth and object index go to two float pictures; they are read back from there."""
        layer = self.scene.view_layers[0]
        layer.use_pass_z = True
        layer.use_pass_object_index = True
        self.scene.use_nodes = True
        tree = self.scene.node_tree
        tree.nodes.clear()
        source = tree.nodes.new("CompositorNodeRLayers")
        for name, socket in (("depth", "Depth"), ("label", "IndexOB")):
            output = tree.nodes.new("CompositorNodeOutputFile")
            output.base_path = str(self.scratch)
            output.format.file_format = "OPEN_EXR"
            output.format.color_depth = "32"
            output.format.exr_codec = "NONE"
            output.file_slots[0].path = name
            tree.links.new(source.outputs[socket], output.inputs[0])
        final = tree.nodes.new("CompositorNodeComposite")
        tree.links.new(source.outputs["Image"], final.inputs[0])

    def answer(self, request: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[dict, dict]:
        """Pictures `rgb/i` (H, W, 3) uint8 or float32, `depth/i` (H, W) float32, `label/i` (H, W) uint8 of shot i."""
        if request["drop"] and self.scene.render.use_persistent_data:
            self._end_session()
        for key in request["drop"]:
            self._drop(key)
        for key, name in request["meshes"].items():
            self._mesh(
                key,
                {part: arrays[f"{name}/{part}"] for part in ("vertices", "normals", "uv", "faces")},
                arrays.get(f"{name}/tint"),
            )
        for key, name in request["images"].items():
            self._image(key, arrays[name])
        self._place(request["items"], request["surfaces"], arrays["poses"])
        self._light(request["lights"])
        surround(self.scene.world, self.images, request["world"])
        found: dict[str, np.ndarray] = {}
        for number, shot in enumerate(request["shots"]):
            self._aim(shot, arrays["cameras"][number])
            if shot["colour"]:
                found[f"rgb/{number}"] = self._colour(request["quality"])
            if shot["geometry"]:
                found[f"depth/{number}"], found[f"label/{number}"] = self._geometry(
                    request["quality"]["persistent"]
                )
        return {}, found

    def _end_session(self) -> None:
        """Have Cycles give up what it kept. It knows pictures by their place in memory, where another one may come to
        lie once this one is removed: it would then draw the old one."""
        for body in [body for body in self.bpy.data.objects if body != self.camera]:
            self.bpy.data.objects.remove(body)
        self.objects.clear()
        for name in list(self.surfaces):
            self.bpy.data.materials.remove(self.surfaces.pop(name))
        self.scene.world.node_tree.nodes.clear()
        render, cycles = self.scene.render, self.scene.cycles
        render.use_persistent_data = render.use_compositing = cycles.use_denoising = False
        render.resolution_x = render.resolution_y = 4
        cycles.samples = 1
        self.bpy.ops.render.render(write_still=False)

    def _drop(self, key: str) -> None:
        if key in self.meshes:
            mesh = self.meshes.pop(key)
            for entry in [entry for entry in self.objects if entry[0].data == mesh]:
                entry[0].data = self._empty()
            self.bpy.data.meshes.remove(mesh)
        if key in self.images:
            self.bpy.data.images.remove(self.images.pop(key))
        for name in [name for name in self.surfaces if f'"{key}"' in name]:
            self.bpy.data.materials.remove(self.surfaces.pop(name))

    def _empty(self) -> Any:
        return self.bpy.data.meshes.get("nothing") or self.bpy.data.meshes.new("nothing")

    def _mesh(self, key: str, parts: dict[str, np.ndarray], tint: np.ndarray | None) -> None:
        mesh = self.bpy.data.meshes.new(key)
        vertices, faces = parts["vertices"], parts["faces"]
        count = len(faces)
        mesh.vertices.add(len(vertices))
        mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
        mesh.loops.add(3 * count)
        mesh.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
        mesh.polygons.add(count)
        mesh.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
        layer = mesh.uv_layers.new(name="uv")
        layer.data.foreach_set("uv", parts["uv"][faces.ravel()].astype(np.float32).ravel())
        if tint is not None:
            colours = mesh.color_attributes.new("tint", "FLOAT_COLOR", "POINT")
            rgba = np.concatenate([tint, np.ones((len(tint), 1))], axis=1)
            colours.data.foreach_set("color", rgba.astype(np.float32).ravel())
        mesh.materials.append(None)
        mesh.update(calc_edges=True)
        normals = mesh.attributes.new("custom_normal", "FLOAT_VECTOR", "POINT")
        normals.data.foreach_set("vector", parts["normals"].astype(np.float32).ravel())
        self.meshes[key] = mesh

    def _image(self, key: str, pixels: np.ndarray) -> None:
        """uint8 pictures are sRGB; float pictures hold linear values."""
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        height, width = pixels.shape[:2]
        real = pixels.dtype != np.uint8
        image = self.bpy.data.images.new(key, width, height, alpha=False, float_buffer=real)
        image.colorspace_settings.name = "Non-Color" if real else "sRGB"
        values = np.ones((height, width, 4), np.float32)
        values[..., :3] = pixels if real else pixels.astype(np.float32) / 255
        image.pixels.foreach_set(values[::-1].ravel())
        image.update()
        self.images[key] = image

    def _place(self, items: list[dict], surfaces: dict[str, dict], poses: np.ndarray) -> None:
        from mathutils import Matrix

        objects = self.bpy.data.objects
        for number in range(len(items), len(self.objects)):
            objects.remove(self.objects[number][0])
        del self.objects[len(items) :]
        for number, (item, pose) in enumerate(zip(items, poses, strict=True)):
            mesh = self.meshes[item["mesh"]]
            name = item["surface"]
            if number < len(self.objects) and self.objects[number][0].data == mesh:
                body, old = self.objects[number]
            else:
                if number < len(self.objects):
                    objects.remove(self.objects[number][0])
                body, old = objects.new(f"{number:05d}", mesh), ""
                self.scene.collection.objects.link(body)
                body.material_slots[0].link = "OBJECT"
            if name not in self.surfaces:
                self.surfaces[name] = surface(self.bpy.data.materials, self.images, surfaces[name])
            if old != name:
                body.material_slots[0].material = self.surfaces[name]
            body.pass_index = item["label"]
            body.matrix_world = Matrix(pose.tolist())
            entry = (body, name)
            if number < len(self.objects):
                self.objects[number] = entry
            else:
                self.objects.append(entry)
        used = {name for _, name in self.objects}
        for name in [name for name in self.surfaces if name not in used]:
            self.bpy.data.materials.remove(self.surfaces.pop(name))

    def _light(self, lights: list[dict]) -> None:
        from mathutils import Vector

        for lamp in [body for body in self.bpy.data.objects if body.type == "LIGHT"]:
            data = lamp.data
            self.bpy.data.objects.remove(lamp)
            self.bpy.data.lights.remove(data)
        for number, light in enumerate(lights):
            name = f"lamp {number:02d}"
            data = self.bpy.data.lights.new(name, LAMPS[light["kind"]])
            lamp = self.bpy.data.objects.new(name, data)
            self.scene.collection.objects.link(lamp)
            towards = Vector(light["vector"])
            lamp.rotation_euler = towards.to_track_quat("Z", "Y").to_euler()
            data.color = light["rgb"]
            data.use_shadow = light["shadow"]
            data.energy = light["energy"]
            if light["kind"] == "directional":
                data.angle = 2 * light["radius"]
            else:
                lamp.location = towards
                lamp.visible_camera = False
                if light["kind"] == "point":
                    data.shadow_soft_size = light["radius"]
                else:
                    data.shape, data.size = "DISK", 2 * light["radius"]

    def _aim(self, shot: dict[str, Any], pose: np.ndarray) -> None:
        """The window as a shifted sensor; `pose` (4, 4) maps Blender's camera (y up, z backward) to the base."""
        from mathutils import Matrix

        render, camera = self.scene.render, self.camera.data
        render.resolution_x, render.resolution_y = shot["width"], shot["height"]
        aspect = shot["pixel_aspect"]  # height of a pixel over its width
        render.pixel_aspect_x, render.pixel_aspect_y = max(1.0, 1 / aspect), max(1.0, aspect)
        camera.sensor_fit = "HORIZONTAL"
        camera.sensor_width = 36.0
        camera.lens = 36.0 * shot["focal"]
        camera.shift_x, camera.shift_y = shot["shift"]
        camera.clip_start, camera.clip_end = 0.005, 200.0
        self.camera.matrix_world = Matrix(pose.tolist())

    def _colour(self, quality: dict[str, Any]) -> np.ndarray:
        scene, cycles = self.scene, self.scene.cycles
        # What stays from the picture before is not drawn anew, and may come out one grey level different.
        scene.render.use_persistent_data = quality["persistent"]
        cycles.samples = quality["samples"]
        cycles.seed = quality["seed"]
        cycles.use_adaptive_sampling = quality["noise"] > 0
        cycles.adaptive_threshold = quality["noise"]
        cycles.adaptive_min_samples = 0
        cycles.use_denoising = quality["denoise"]
        for kind in ("max_bounces", "diffuse_bounces", "glossy_bounces"):
            setattr(cycles, kind, quality["bounces"])
        cycles.transmission_bounces = cycles.volume_bounces = cycles.transparent_max_bounces = 1
        cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
        scene.render.use_compositing = False
        stored = scene.render.image_settings
        stored.file_format = "OPEN_EXR" if quality["linear"] else "BMP"
        stored.color_mode = "RGB"
        if quality["linear"]:
            stored.color_depth, stored.exr_codec = "32", "NONE"
        path = self.scratch / "colour"
        scene.render.filepath = str(path)
        self.bpy.ops.render.render(write_still=True)
        values = self._read(path)[..., :3]
        return values.copy() if quality["linear"] else (values * 255 + 0.5).astype(np.uint8)

    def _geometry(self, persistent: bool) -> tuple[np.ndarray, np.ndarray]:
        scene, cycles = self.scene, self.scene.cycles
        scene.render.use_persistent_data = persistent
        cycles.samples, cycles.seed = 1, 0
        cycles.use_adaptive_sampling = cycles.use_denoising = False
        for kind in ("max_bounces", "diffuse_bounces", "glossy_bounces"):
            setattr(cycles, kind, 0)
        cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
        scene.render.use_compositing = True
        self.bpy.ops.render.render(write_still=False)
        depth, label = (
            self._read(self.scratch / f"{name}{scene.frame_current:04d}") for name in ("depth", "label")
        )
        metres = depth[..., 0]
        return (
            np.where(metres < 1e9, metres, np.inf).astype(np.float32),
            np.round(label[..., 0]).astype(np.uint8),
        )

    def _read(self, path: Path) -> np.ndarray:
        """(H, W, 4) float32, the first row on top, the values as stored."""
        found = path if path.exists() else next(path.parent.glob(f"{path.name}*"))
        image = self.bpy.data.images.load(str(found), check_existing=False)
        image.colorspace_settings.name = "Non-Color"
        width, height = image.size
        values = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(values)
        self.bpy.data.images.remove(image)
        found.unlink()
        return values.reshape(height, width, 4)[::-1]


def _find_gpu(bpy: Any) -> str | None:
    """Switches on every GPU of the first kind of which there is one, and returns that kind."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kind in GPU_KINDS:
        with contextlib.suppress(TypeError):  # this build of Blender does not know the kind
            preferences.compute_device_type = kind
            preferences.refresh_devices()
            found = [device for device in preferences.devices if device.type == kind]
            for device in preferences.devices:
                device.use = device in found
            if found:
                return kind
    return None


def main() -> None:
    """Serve requests from standard input until it ends."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path.remove(str(Path(__file__).resolve().parent))  # it has a cycles.py, which is not Blender's module
    import bpy

    with tempfile.TemporaryDirectory(prefix="blockworld-cycles-") as scratch:
        studio = Studio(bpy, int(sys.argv[1]), Path(scratch))
        send(answers, {"ready": bpy.app.version_string, "device": studio.device})
        while True:
            try:
                request, arrays = receive(requests)
            except EOFError:
                return
            try:
                header, found = studio.answer(request, arrays)
            except Exception as error:
                header, found = {"error": f"{type(error).__name__}: {error}"}, {}
            send(answers, header, found)


if __name__ == "__main__":
    main()
