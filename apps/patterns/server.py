"""The server of the pattern browser: the page, and what it asks for, as JSON and JPEG.

Pictures are named by identifiers and files of the page by a fixed list; no part of an address becomes a path.
"""

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Annotated, Any

from fastapi import HTTPException, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool

from apps.guards import Guards
from apps.patterns.collection import Collection, Entry
from apps.patterns.discovery import Discovery
from apps.patterns.guests import Guests
from apps.patterns.renderings import Renderings
from apps.patterns.requests import Identifier, SearchRequest, box_of
from apps.static_files import application_of
from training.art import exports
from training.art.clusters import Cluster
from training.art.features import Features
from training.art.regions import Region
from training.art.search import SearchConfig

PAGES = Path(__file__).parent / "pages"
UPLOADS = "/api/uploads"
LARGEST_UPLOAD = 64 * 1024 * 1024
MOST_SEARCHES = 50
"""That results are kept of, to be exported."""
MOST_CLUSTERS = 500
"""That a page is given."""
KEPT = {"Cache-Control": "private, max-age=86400"}
"""Of answers that never change, since identifiers are digests."""
Key = Annotated[Identifier, InPath()]


class Browser:
    """What the routes answer from."""

    def __init__(self, collection: Collection, discovery: Discovery, guests: Guests, base: str = "") -> None:
        """base: what comes before names of pictures in annotations."""
        self.collection, self.discovery, self.guests, self.base = collection, discovery, guests, base
        self.renderings = Renderings()
        self.searches: OrderedDict[str, tuple[exports.Place, list[exports.Hit]]] = OrderedDict()
        self._numbers = count(1)

    def entry(self, key: str) -> Entry:
        """A picture of the collection, or a guest."""
        if key in self.collection.entries:
            return self.collection.entries[key]
        if key in self.guests:
            return self.guests[key].entry
        raise HTTPException(404, "There is no such picture here.")

    def file(self, key: str) -> Path:
        """Its file."""
        try:
            return self.guests[key].entry.path if key in self.guests else self.collection.file(key)
        except KeyError:
            raise HTTPException(404, "There is no such picture here.") from None

    def features(self, key: str) -> Features:
        """Its features."""
        return self.guests[key].features if key in self.guests else self.collection.gallery.features[key]

    def search(self, asked: SearchRequest) -> dict[str, Any]:
        """Results, and the number under which they can be exported."""
        entry = self.entry(asked.picture)
        region = Region.of(self.features(entry.id), asked.box)
        config = SearchConfig(verified=max(SearchConfig().verified, asked.most))
        gallery = self.collection.gallery
        found = gallery.search(region, entry.id, config, asked.verify)[: asked.most]
        keys, query = gallery.keys, exports.Place(entry.name, region.box)
        ranked = exports.hits(found, self.collection.names)
        number = str(next(self._numbers))
        self.searches[number] = query, ranked
        while len(self.searches) > MOST_SEARCHES:
            self.searches.popitem(last=False)
        results = [
            asdict(hit) | {"picture": _shown(self.collection.entries[keys[one.picture]]), "box": hit.place.box}
            for one, hit in zip(found, ranked, strict=True)
        ]
        return {
            "search": number, "query": {"picture": _shown(entry), "box": region.box}, "results": results,
            "searched": len(keys), "finished": self.collection.progress().finished,
        }

    def export(self, what: str, kind: str) -> Response:
        """A file of what was found."""
        if what == "details":
            names = {key: one.name for key, one in self.collection.entries.items()}
            found = self.discovery.clusters()
            made = {
                "csv": lambda: exports.cluster_table(found, names),
                "json": lambda: exports.cluster_json(found, names),
                "annotations": lambda: exports.cluster_annotations(found, names, self.base),
            }
        else:
            if what not in self.searches:
                raise HTTPException(404, "These results are no longer here: search again.")
            query, ranked = self.searches[what]
            made = {
                "csv": lambda: exports.search_table(ranked),
                "json": lambda: exports.search_json(query, ranked),
                "annotations": lambda: exports.search_annotations(query, ranked, self.base),
            }
        content = made[kind]()
        name = f"{'details' if what == 'details' else 'search'}{'-annotations' if kind == 'annotations' else ''}"
        ending = "csv" if kind == "csv" else "json"
        text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False)
        media = "text/csv" if kind == "csv" else "application/json"
        return Response(
            text, media_type=f"{media}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'},
        )


def application(browser: Browser) -> Guards:
    """The ASGI application."""
    app = application_of(PAGES)
    collection, discovery = browser.collection, browser.discovery

    @app.get("/api/state")
    def state() -> dict[str, Any]:
        return {
            "folder": collection.folder.resolve().name,
            "indexing": asdict(collection.progress()),
            "discovery": asdict(discovery.standing()),
        }

    @app.get("/api/pictures")
    def pictures(after: int = 0) -> list[dict[str, Any]]:
        keys = collection.gallery.keys[max(0, after) :]
        return [_shown(collection.entries[key]) for key in keys]

    @app.get("/api/pictures/{key}/thumbnail")
    def thumbnail(key: Key) -> Response:
        return _jpeg(browser.renderings.thumbnail(key, browser.file(key)))

    @app.get("/api/pictures/{key}/view")
    def view(key: Key) -> Response:
        return _jpeg(browser.renderings.view(key, browser.file(key)))

    @app.get("/api/pictures/{key}/part")
    def part(key: Key, box: str, framed: bool = False) -> Response:
        inside = box_of(box, browser.entry(key).size)
        return _jpeg(browser.renderings.part(key, browser.file(key), inside, framed))

    @app.post("/api/search")
    def search(asked: SearchRequest) -> dict[str, Any]:
        return browser.search(asked)

    @app.post(UPLOADS)
    async def upload(request: Request) -> dict[str, Any]:
        content = await request.body()
        return _shown(await run_in_threadpool(browser.guests.add, content, collection))

    @app.post("/api/discovery")
    def begin() -> dict[str, Any]:
        discovery.begin()
        return asdict(discovery.standing())

    @app.delete("/api/discovery")
    def stop() -> dict[str, Any]:
        discovery.stop()
        return asdict(discovery.standing())

    @app.get("/api/details")
    def details() -> list[dict[str, Any]]:
        return _clusters(discovery.clusters()[:MOST_CLUSTERS], collection)

    @app.get("/api/exports/{what}/{kind}")
    def export(
        what: Annotated[str, InPath(pattern=r"^(details|[0-9]{1,12})$")],
        kind: Annotated[str, InPath(pattern=r"^(csv|json|annotations)$")],
    ) -> Response:
        return browser.export(what, kind)

    return Guards(app, {UPLOADS: LARGEST_UPLOAD})


@contextmanager
def opened(collection: Collection, discovery: Discovery, base: str = "") -> Iterator[Guards]:
    """The application, with indexing in the background for as long as this lasts."""
    with Guests.kept() as guests, collection.indexing():
        try:
            yield application(Browser(collection, discovery, guests, base))
        finally:
            discovery.stop()


def _shown(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "name": entry.name, "size": entry.size}


def _clusters(found: Sequence[Cluster], collection: Collection) -> list[dict[str, Any]]:
    return [
        {
            "score": one.details[0].score,
            "members": [
                {"picture": _shown(collection.entries[member.picture]), "box": member.box} for member in one.members
            ],
            "details": [
                {"a": pair.a, "b": pair.b, "a_box": pair.a_box, "b_box": pair.b_box, "score": pair.score,
                 "points": pair.points}
                for pair in one.details
            ],
        }
        for one in found
    ]


def _jpeg(content: bytes) -> Response:
    return Response(content, media_type="image/jpeg", headers=KEPT)
