"""The published protocols, from annotations and features to figures.

Detection (Brueghel, planted copies): mAP of boxes. Recognition (LTLL): how often the first picture shows the same
place. Retrieval (Oxford): mAP of pictures, junk left out.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

from tqdm import tqdm

from perception.errors import InputError
from training.art.annotations import DetectionQuery, Recognition, RetrievalQuery
from training.art.annotations import Region as Place
from training.art.discovery import DiscoveryConfig, Source, best_detail
from training.art.features import Features
from training.art.gallery import Gallery
from training.art.metrics import DetectionScores, detection_scores, retrieval_score, top_1_accuracy
from training.art.regions import Region
from training.art.search import SearchConfig, search

MOST_BOXES = 1000
"""Of each query, as ArtMiner has it."""


def evaluate_detection(
    queries: Sequence[DetectionQuery], features: Mapping[str, Features], config: SearchConfig | None = None,
    verify: bool = False, progress: bool = False,
) -> DetectionScores:
    """Each query is looked for in all pictures but its own. features: by the names that the annotations have.

    Raises InputError where a picture of the annotations is missing, or a box is outside its picture.
    """
    _complete(features, (one.picture for query in queries for one in (query.query, *query.wanted)))
    names = sorted(features)
    collection = Gallery(features)  # reads them when they are asked for: of thousands not all can be open at once
    for name in names:
        collection.add(name)
    ranked = []
    for query in tqdm(queries, unit=" queries", disable=not progress):
        region = Region.of(features[query.query.picture], query.query.box)
        others = [number for number, name in enumerate(names) if name != query.query.picture]
        found = search(region, collection, others, config, verify)[:MOST_BOXES]
        ranked.append([Place(names[one.picture], one.box) for one in found])
    return detection_scores(queries, ranked)


def evaluate_recognition(
    recognition: Recognition, features: Mapping[str, Features], config: DiscoveryConfig | None = None,
    progress: bool = False,
) -> float:
    """Top-1 accuracy, pictures ranked by the score of discovery. Raises InputError where one is missing."""
    config = config or DiscoveryConfig()
    _complete(features, (*recognition.queries, *recognition.searched))
    first = {}
    for name in tqdm(recognition.queries, unit=" queries", disable=not progress):
        others = [one for one in recognition.searched if one != name]
        first[name] = ranked_pictures(Source.of(features[name], config), features, others, config)[0][0]
    return top_1_accuracy(recognition, first)


def evaluate_retrieval(
    queries: Sequence[RetrievalQuery], features: Mapping[str, Features], config: DiscoveryConfig | None = None,
    progress: bool = False,
) -> float:
    """Mean average precision of all pictures ranked by the score of discovery, the query's own among them, as Oxford
    has it. Names may lack their ending in the annotations, as Oxford's do. Raises InputError where one is missing."""
    config = config or DiscoveryConfig()
    bare = all("." not in query.picture for query in queries)
    full = {(name.rpartition(".")[0] or name) if bare else name: name for name in features}
    said = {name: one for one, name in full.items()}
    _complete(full, (name for query in queries for name in (query.picture, *query.wanted)))
    ranked = []
    for query in tqdm(queries, unit=" queries", disable=not progress):
        asked = features[full[query.picture]]
        if query.box is None:
            source = Source.of(asked, config)
        else:
            source = Source.of_region(Region.of(asked, query.box, config.source_cells))
        ranked.append([said[name] for name, _ in ranked_pictures(source, features, sorted(said), config)])
    return retrieval_score(queries, ranked)


def ranked_pictures(
    source: Source, features: Mapping[str, Features], names: Iterable[str], config: DiscoveryConfig
) -> list[tuple[str, float]]:
    """Names and scores of the best discovery in each, best first; 0 where there is none, in the order of the names."""
    scores = []
    for name in names:
        found = best_detail(source, features[name], config)
        scores.append((name, found.score if found else 0.0))
    return sorted(scores, key=lambda one: -one[1])


def _complete(known: Container[str], names: Iterable[str]) -> None:
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise InputError(f"The annotations name {missing}, which is not among the pictures: add it.", "annotations")
