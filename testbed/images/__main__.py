"""python3 -m testbed.images [build | load | refs]"""

from __future__ import annotations

import argparse

from testbed import debian
from testbed.images import base, buildah, older
from testbed.images.layout import named
from testbed.images.load import load
from testbed.images.recipe import DEPENDENCIES, RECIPES
from testbed.locks import locked
from testbed.paths import CACHE


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m testbed.images", description=__doc__)
    parser.add_argument("action", choices=("build", "load", "refs"), nargs="?", default="build")
    action = parser.parse_args().action
    debian.ensure(buildah.BUILDERS)
    with locked(CACHE / "images.lock"):
        standing_on = base.ensure()
        for recipe in RECIPES:
            reference = recipe.reference(standing_on)
            match action:
                case "refs":
                    print(reference)
                case "load":
                    load(reference)
                case _:
                    build(reference, recipe.dockerfile, standing_on)


def build(reference: str, dockerfile: str, standing_on: str) -> None:
    """Builds the image, and writes it to the layout, unless it is there; the oldest ones go when a new one comes.

    One that was built and not written, as on a full disk, is written.
    """
    if reference in named(buildah.LAYOUT):
        return
    dependencies = DEPENDENCIES.reference(standing_on)
    if dockerfile == DEPENDENCIES.dockerfile:
        # Not before another image: what is in the layout and in none of its images goes when one has been written.
        if not buildah.exists(dependencies):
            buildah.build(dependencies, dockerfile, standing_on, "--target", "dependencies")
        buildah.seed(dependencies)
    if not buildah.exists(reference):
        buildah.build(reference, dockerfile, standing_on)
    buildah.push(reference)
    older.discard(dependencies)


if __name__ == "__main__":
    main()
