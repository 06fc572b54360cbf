"""The server of the layer editor: the page, the masks of what is open, and files of what the page has made of it.

Nothing that the page sends becomes a path: what is opened comes as bytes, files that are exported go to the browser,
and a project is saved where the command that started the server said.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool

from apps.guards import Guards
from apps.layers.document import Document
from apps.layers.requests import DocumentId, Edits, ExportRequest
from apps.layers.workspace import Workspace
from apps.static_files import application_of
from perception.errors import LayersError
from perception.layers import project
from perception.layers.decompose import MOST_LAYERS
from perception.layers.files import content_of
from perception.layers.picture import decode_rgba

PAGES = Path(__file__).parent / "pages"
OPENING, EXPORTS, SAVING = "/api/open", "/api/export", "/api/save"
LARGEST_FILE, LARGEST_EDITS = 64 * 1024 * 1024, 2 * 1024 * 1024
MEDIA = {"svg": "image/svg+xml", "ora": "image/openraster", "png": "image/png", "json": "application/json"}
KEPT = {"Cache-Control": "private, max-age=86400"}
"""Of masks: documents have names that are drawn anew."""
Key = Annotated[DocumentId, InPath()]
FileName = Annotated[str, Query(min_length=1, max_length=255)]


def application(workspace: Workspace) -> Guards:
    """The ASGI application."""
    app = application_of(PAGES)
    exporting = Lock()

    def opened(key: str) -> Document:
        document = workspace.document
        if document is None or document.id != key:
            raise HTTPException(409, "This document is no longer open here: reload the page.")
        return document

    @app.get("/api/state")
    def state() -> dict[str, Any]:
        return workspace.state()

    @app.get("/api/documents/{key}/masks/{number}")
    def mask(key: Key, number: Annotated[int, InPath(ge=0, lt=MOST_LAYERS)]) -> Response:
        masks = opened(key).masks
        if number >= len(masks):
            raise HTTPException(404, "There is no such mask yet.")
        headers = KEPT | {"Content-Encoding": "gzip"}
        return Response(masks[number], media_type="application/octet-stream", headers=headers)

    @app.post(OPENING)
    async def open_file(request: Request, name: FileName) -> dict[str, Any]:
        content = await request.body()
        await run_in_threadpool(_open, workspace, name, content)
        return workspace.state()

    @app.post(EXPORTS)
    def export(asked: ExportRequest) -> Response:
        document = opened(asked.document)
        made = document.edited(asked.layers)
        with exporting:  # each may take a gigabyte
            content = content_of(document.network, made, f".{asked.kind}", asked.size, asked.levels)
        headers = {"Content-Disposition": f'attachment; filename="layers.{asked.kind}"'}
        return Response(content, media_type=MEDIA[asked.kind], headers=headers)

    @app.post(SAVING)
    def save(asked: Edits) -> dict[str, Any]:
        document = opened(asked.document)
        if workspace.save is None or not document.saves:
            raise LayersError("This document was opened from the page: export it as a project.")
        workspace.save(project.to_json(document.edited(asked.layers)).encode())
        document.keep(asked.layers)
        return {"saved": True}

    return Guards(app, {OPENING: LARGEST_FILE, EXPORTS: LARGEST_EDITS, SAVING: LARGEST_EDITS})


@contextmanager
def served(workspace: Workspace) -> Iterator[Guards]:
    """The application; what is done in the background ends with it."""
    try:
        yield application(workspace)
    finally:
        workspace.close()


def _open(workspace: Workspace, name: str, content: bytes) -> None:
    """A project where it begins as JSON does, else a picture."""
    if content.lstrip()[:1] == b"{":
        if len(content) > project.MOST_BYTES:
            raise LayersError(f"{name} has more than {project.MOST_BYTES} bytes: it is no project of layers.")
        workspace.open_project(name, project.from_json(content, name))
    else:
        workspace.open_picture(name, decode_rgba(content, name))
