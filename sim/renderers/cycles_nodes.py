"""Blender's node trees of surfaces and surroundings, for `cycles_worker.py` alone: imports nothing but the standard
library, and is handed Blender's own objects. What `look` holds is in `sim.renderers.cycles_studio`."""

from typing import Any


def surface(materials: Any, images: dict[str, Any], look: dict[str, Any]) -> Any:
    """A principled material: colour x picture x the mesh's own tint, and relief by a picture of heights."""
    material = materials.new("surface")
    material.use_nodes = True
    tree = material.node_tree
    nodes, links = tree.nodes, tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*look["rgb"], 1.0)
    shader.inputs["Roughness"].default_value = look["roughness"]
    shader.inputs["Metallic"].default_value = look["metallic"]
    shader.inputs["Specular IOR Level"].default_value = look["specular"]
    shader.inputs["Coat Weight"].default_value = look.get("coat", 0.0)
    factors = []
    if look["image"]:
        factors.append(_picture(tree, images, look["image"], look).outputs["Color"])
    if look.get("tint"):
        attribute = nodes.new("ShaderNodeAttribute")
        attribute.attribute_name = "tint"
        factors.append(attribute.outputs["Color"])
    for factor in factors:
        mix = nodes.new("ShaderNodeMix")
        mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
        mix.inputs["Factor"].default_value = 1.0
        colour = shader.inputs["Base Color"]
        first, second, result = mix.inputs[6], mix.inputs[7], mix.outputs[2]
        first.default_value = colour.default_value
        if colour.is_linked:
            links.new(colour.links[0].from_socket, first)
        links.new(factor, second)
        links.new(result, colour)
    if look.get("gloss"):  # a picture that varies the roughness
        links.new(_picture(tree, images, look["gloss"], look).outputs["Color"], shader.inputs["Roughness"])
    if look.get("relief"):
        bump = nodes.new("ShaderNodeBump")
        bump.inputs["Distance"].default_value = look["relief_m"]
        links.new(_picture(tree, images, look["relief"], look).outputs["Color"], bump.inputs["Height"])
        links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    return material


def _picture(tree: Any, images: dict[str, Any], key: str, look: dict[str, Any]) -> Any:
    """A picture `repeats` times across a unit of UV, or where `box` is set across a metre from three sides."""
    picture = tree.nodes.new("ShaderNodeTexImage")
    picture.image = images[key]
    place = tree.nodes.new("ShaderNodeTexCoord")
    scale = tree.nodes.new("ShaderNodeVectorMath")
    scale.operation = "SCALE"
    scale.inputs["Scale"].default_value = look["repeats"]
    source = "UV"
    if look.get("box"):
        picture.projection, picture.projection_blend = "BOX", 0.2
        source = "Object"
    tree.links.new(place.outputs[source], scale.inputs[0])
    tree.links.new(scale.outputs[0], picture.inputs["Vector"])
    return picture


def surround(world: Any, images: dict[str, Any], look: dict[str, Any]) -> None:
    """The world: two half spheres of light and a backdrop that only the camera sees, or a panorama."""
    world.use_nodes = True
    tree = world.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputWorld")
    light = tree.nodes.new("ShaderNodeBackground")
    place = tree.nodes.new("ShaderNodeTexCoord")
    if look["kind"] == "panorama":
        picture = tree.nodes.new("ShaderNodeTexEnvironment")
        picture.image = images[look["image"]]
        tree.links.new(place.outputs["Generated"], picture.inputs["Vector"])
        tree.links.new(picture.outputs["Color"], light.inputs["Color"])
        light.inputs["Strength"].default_value = look["strength"]
        tree.links.new(light.outputs[0], output.inputs["Surface"])
        world.cycles.sampling_method = "MANUAL"
        world.cycles.sample_map_resolution = 256
        return
    world.cycles.sampling_method = "MANUAL"
    world.cycles.sample_map_resolution = 64
    split = tree.nodes.new("ShaderNodeSeparateXYZ")
    above = tree.nodes.new("ShaderNodeMath")
    above.operation = "GREATER_THAN"
    above.inputs[1].default_value = 0.0
    halves = tree.nodes.new("ShaderNodeMix")
    halves.data_type = "RGBA"
    halves.inputs[6].default_value = (*look["ground"], 1.0)
    halves.inputs[7].default_value = (*look["sky"], 1.0)
    tree.links.new(place.outputs["Generated"], split.inputs[0])
    tree.links.new(split.outputs["Z"], above.inputs[0])
    tree.links.new(above.outputs[0], halves.inputs["Factor"])
    tree.links.new(halves.outputs[2], light.inputs["Color"])
    light.inputs["Strength"].default_value = look["ambient"]
    seen = tree.nodes.new("ShaderNodeBackground")
    seen.inputs["Color"].default_value = (*look["sky"], 1.0)
    if look["backdrop"]:
        picture = tree.nodes.new("ShaderNodeTexImage")
        picture.image = images[look["backdrop"]]
        tint = tree.nodes.new("ShaderNodeMix")
        tint.data_type, tint.blend_type = "RGBA", "MULTIPLY"
        tint.inputs["Factor"].default_value = 1.0
        tint.inputs[6].default_value = (*look["sky"], 1.0)
        tree.links.new(place.outputs["Window"], picture.inputs["Vector"])
        tree.links.new(picture.outputs["Color"], tint.inputs[7])
        tree.links.new(tint.outputs[2], seen.inputs["Color"])
    path = tree.nodes.new("ShaderNodeLightPath")
    choice = tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(path.outputs["Is Camera Ray"], choice.inputs[0])
    tree.links.new(light.outputs[0], choice.inputs[1])
    tree.links.new(seen.outputs[0], choice.inputs[2])
    tree.links.new(choice.outputs[0], output.inputs["Surface"])
