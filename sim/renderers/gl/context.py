"""The OpenGL context, without a window, and the few functions that moderngl does not wrap."""

import ctypes
import os
from typing import Any

import glcontext
import moderngl

VERSION = 430
TEXTURE_2D_ARRAY, COLOR, DEPTH, RGB, UNSIGNED_BYTE = 0x8C1A, 0x1800, 0x1801, 0x1907, 0x1401
SIGNATURES: dict[str, tuple[type, ...]] = {
    "glBindTexture": (ctypes.c_uint, ctypes.c_uint),
    "glActiveTexture": (ctypes.c_uint,),
    "glPixelStorei": (ctypes.c_uint, ctypes.c_int),
    "glTexSubImage3D": (ctypes.c_uint, *(ctypes.c_int,) * 7, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p),
    "glClearBufferuiv": (ctypes.c_uint, ctypes.c_int, ctypes.c_void_p),
    "glClearBufferfv": (ctypes.c_uint, ctypes.c_int, ctypes.c_void_p),
}


class Context:
    """A moderngl context (`gl`) of its own with the functions of SIGNATURES as attributes."""

    def __init__(self) -> None:
        # One process per core draws; a driver in software would otherwise start a thread per core in each of them.
        os.environ.setdefault("LP_NUM_THREADS", "0")
        create = glcontext.get_backend_by_name("egl")
        # EGL gives out OpenGL's functions too, so that no libGL, which drags a window system in, need be there.
        self._window = create(mode="standalone", glversion=VERSION, libegl="libEGL.so.1", libgl="libEGL.so.1")
        self.gl = moderngl.create_context(require=VERSION, standalone=True, context=self._window)
        self._functions = {
            name: ctypes.CFUNCTYPE(None, *types)(self._window.load(name)) for name, types in SIGNATURES.items()
        }

    def __getattr__(self, name: str) -> Any:
        try:
            return self._functions[name]
        except KeyError:
            raise AttributeError(name) from None
