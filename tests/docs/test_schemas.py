from pathlib import Path

import pytest

from orderdrop.schemas import schemas

FOLDER = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("name", schemas())
def test_schema_on_disk_is_that_of_the_model(name):
    """When this fails on purpose: `python -m orderdrop.schemas schemas`."""
    assert (FOLDER / name).read_text(encoding="utf-8") == schemas()[name]


def test_schemas_folder_holds_nothing_else():
    assert {path.name for path in FOLDER.iterdir()} == set(schemas())
