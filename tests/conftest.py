"""How properties are tested: no deadlines on shared machines; the same examples at each run of the CI."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No test may put keys into the keyring of whoever runs it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ.pop("CUNCE_PASSPHRASE", None)

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A change lands or not by what it does, not by the luck of a draw; new examples are looked for everywhere else.
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
