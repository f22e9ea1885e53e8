"""The road over a network: POST requests to a hub's `/-/exchange/`."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx

from forms.problems import Problem, message
from sync.bundle import MAX_BODY
from sync.transport import Parcel, Refused, TransportBusyError, TransportError

TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
PATIENCE: Final = 600.0  # seconds of coming back to a hub that says it is busy
LONGEST_PAUSE: Final = 10.0
PAUSES: Final = (0.5, 2.0)  # seconds before the second and the third attempt
_BUSY: Final = (408, 425, 429, 500, 502, 503, 504)


class HttpTransport:
    """A hub at an http(s) address; see `sync.transport.Transport`. Close it, or use it in a `with` statement.

    `token`: this station's token there. `pauses`: seconds to wait before each further attempt; every request may be
    repeated without harm. `client`: another httpx client, for tests.
    """

    answers = True
    batch = 5_000

    def __init__(
        self, address: str, *, hub: str, station: str, token: str, pauses: tuple[float, ...] = PAUSES,
        client: httpx.Client | None = None,
    ) -> None:  # fmt: skip
        self.hub, self.road = hub, address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {station}.{token}"}
        self._pauses = pauses
        # A laptop's web proxy is for the internet; the hub stands in the same office.
        self._client = client or httpx.Client(timeout=TIMEOUT, trust_env=False)
        self.bytes_sent = self.bytes_received = self.requests = 0

    def __enter__(self) -> HttpTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def join(self, petition: bytes) -> bytes | None:
        """See Transport.join."""
        return self._post("join", petition)

    def push(self, name: str, data: bytes) -> bytes | None:
        """See Transport.push."""
        return self._post("push", data)

    def ask(self, endpoint: str, body: bytes) -> bytes:
        """See Transport.ask."""
        return self._post(endpoint, body)

    def pull(self, request: Callable[[], bytes]) -> Iterator[Parcel]:
        """See Transport.pull."""
        asked = b""
        # A station that asks the same twice got nothing out of the answer: it would get nothing out of it for ever.
        while (asking := request()) != asked and (data := self._post("pull", asking)):
            asked = asking
            yield Parcel(data)

    def _post(self, endpoint: str, body: bytes) -> bytes:
        """Return the answer's body, after as many attempts as a passing fault is given."""
        pauses = iter(self._pauses)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._once(endpoint, body)
            except TransportBusyError as error:
                if error.after and time.monotonic() < until:
                    # The hub is well and has its hands full: forty laptops do not come back in the same moment.
                    time.sleep(error.after * random.uniform(0.5, 1.5))
                    continue
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause)

    def _once(self, endpoint: str, body: bytes) -> bytes:
        self.requests += 1
        try:
            with self._client.stream(
                "POST", f"{self.road}/-/exchange/{endpoint}", content=body, headers=self._headers
            ) as response:
                data = self._read(response)
        except httpx.TimeoutException as error:
            raise TransportBusyError(self._problem("SYNC_HUB_SLOW", error)) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise TransportError(Problem("SYNC_ADDRESS", context={"address": self.road})) from error
        except httpx.HTTPError as error:
            raise TransportBusyError(self._problem("SYNC_HUB_UNREACHABLE", error)) from error
        self.bytes_sent += len(body)
        self.bytes_received += len(data)
        if response.status_code in (200, 204):
            return data
        raise self._refusal(response, data)

    def _read(self, response: httpx.Response) -> bytes:
        """Read an answer, but no more than a bundle may be."""
        data = bytearray()
        for piece in response.iter_bytes():
            data += piece
            if len(data) > MAX_BODY:
                raise TransportError(Problem("SYNC_BUNDLE_TOO_LARGE", context={"size": len(data), "limit": MAX_BODY}))
        return bytes(data)

    def _refusal(self, response: httpx.Response, data: bytes) -> TransportError:
        """What an answer that is no success means: the hub's own words, or a fault that may pass, or another server."""
        problems = _problems_in(data)
        if response.status_code in _BUSY:
            busy = TransportBusyError(problems or [self._problem("SYNC_HUB_FAILED", response.status_code)])
            after = response.headers.get("retry-after", "")
            busy.after = min(float(after), LONGEST_PAUSE) if after.isdecimal() else 0.0
            return busy
        if problems:
            return Refused(problems)
        return TransportError(self._problem("SYNC_NOT_A_HUB_THERE", response.status_code))

    def _problem(self, code: str, detail: object) -> Problem:
        return Problem(code, context={"address": self.road, "detail": detail})


def _problems_in(data: bytes) -> list[Problem]:
    """The problems of a hub's answer; none where another server answered."""
    try:
        told: Any = json.loads(data)["problems"]
        found = [Problem(each["code"], context={**each.get("context", {})}) for each in told]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    for problem in found:
        try:
            message(problem.code)
        except (KeyError, AttributeError):  # a newer hub's code: its words are not here
            return [Problem("SYNC_HUB_REFUSED", context={"code": problem.code})]
    return found
