"""Transport: what every road between a station and its hub can do; one contract, one test suite over all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from forms.problems import CunceError


class TransportError(CunceError):
    """The road failed (no answer, a full stick); the station is as it was, or further along, never half-way."""


class TransportBusyError(TransportError):
    """The road failed in a way that may pass: trying again later may help."""

    retryable: ClassVar[bool] = True
    after: float = 0.0  # seconds after which the hub asks to be called again; 0: it did not ask


class Refused(TransportError):  # noqa: N818 - an answer of the hub, not a fault of the road
    """The hub understood and said no; carries the hub's own problems."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A bundle that arrived. `taken`: to be called once its content is safely in the journal."""

    data: bytes
    taken: Callable[[], None] = lambda: None


class Transport(Protocol):
    """A road from a station to one hub.

    `hub`: the hub's station id. `road`: for people, an address or a folder. `answers`: the hub answers at once (a
    network), or not before someone carries the answer back (a stick). `batch`: revisions a bundle. The counters hold
    the bodies' bytes and the requests (or files) of this exchange.
    """

    hub: str
    road: str
    answers: bool
    batch: int
    bytes_sent: int
    bytes_received: int
    requests: int

    def join(self, petition: bytes) -> bytes | None:
        """Hand over a request to join and return the hub's answer, None where the road does not answer.

        Raises Refused or TransportError.
        """
        ...

    def push(self, name: str, data: bytes) -> bytes | None:
        """Hand over a bundle; return the hub's receipt as a bundle, None where the road does not answer.

        Raises Refused or TransportError.
        """
        ...

    def ask(self, endpoint: str, body: bytes) -> bytes:
        """Ask the hub about blobs and return its answer; only where the road answers at once.

        Raises Refused or TransportError.
        """
        ...

    def pull(self, request: Callable[[], bytes]) -> Iterable[Parcel]:
        """Yield the hub's bundles for this station until there are no more.

        `request`: what the station asks for at the moment it is called. Raises Refused or TransportError.
        """
        ...
