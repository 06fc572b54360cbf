"""Furniture, devices and vehicles as assemblies of closed parts, of any number; no vertex means the same on two.

They stand on z = 0 about the origin, face +x, and are as large as the things are, in m.
"""

from sim.shapes.assemblies.boat import Boat
from sim.shapes.assemblies.cabinet import Cabinet
from sim.shapes.assemblies.car import Car
from sim.shapes.assemblies.chair import Chair
from sim.shapes.assemblies.lamp import Lamp
from sim.shapes.assemblies.monitor import Monitor
from sim.shapes.assemblies.plane import Plane
from sim.shapes.assemblies.sofa import Sofa
from sim.shapes.assemblies.speaker import Speaker
from sim.shapes.assemblies.table import Table
from sim.shapes.family import Family

ASSEMBLIES: dict[str, type[Family]] = {
    one.category: one for one in (Chair, Table, Sofa, Cabinet, Lamp, Monitor, Speaker, Car, Plane, Boat)
}
