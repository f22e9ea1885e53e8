"""The village map (一村一图): what it shows, where on paper or screen, by what symbols; all pure but `surroundings`."""

from datasette_plugins.village_map.static_map import thumbnail
from datasette_plugins.village_map.surroundings import Surroundings, surroundings

__all__ = ["Surroundings", "surroundings", "thumbnail"]
