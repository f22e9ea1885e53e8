"""What all tests of `collect` share."""

from hypothesis import settings

# A loaded machine must not fail a property: how long an example takes is no part of it.
settings.register_profile("collect", deadline=None)
settings.load_profile("collect")
