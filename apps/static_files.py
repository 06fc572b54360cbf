"""What the browser runs of a page: its own files and those that all pages share, by a fixed list of names."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from perception.errors import BlockworldError

SHARED = Path(__file__).parent / "pages"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def application_of(folder: Path) -> FastAPI:
    """An application that answers with the page of a folder; errors meant for the user are told as JSON."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    files = {
        path.name: path.read_bytes() for place in (SHARED, folder) for path in place.iterdir() if path.suffix in TYPES
    }

    @app.exception_handler(BlockworldError)
    def told(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 400)

    @app.get("/")
    def page() -> Response:
        return Response(files["index.html"], media_type="text/html")

    @app.get("/pages/{name}")
    def part_of_page(name: str) -> Response:
        if name not in files:
            return PlainTextResponse("There is no such page.", 404)
        return Response(files[name], media_type=TYPES[Path(name).suffix])

    return app
