"""A server of live sessions: a websocket each, all of them on one batched stream.

    python server.py cell.safetensors --states states.safetensors

A client opens /live/NAME and gets {"steps": how many the state has seen, "input_size": I,
"hidden_size": H}. Then it sends I float32 and gets H float32, again and again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket
from sessions import Array, RefusedError, Sessions
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from onecell import FrozenCell

TRY_AGAIN_LATER = 1013
UNSUPPORTED = 1003


def make_app(sessions: Sessions, states: Path | None = None, every: float = 10.0) -> FastAPI:
    """Return the server; it saves all states to `states` as it ends, and every few seconds."""
    ending = asyncio.Event()

    async def save_now_and_then(path: Path) -> None:
        last = False
        while not last:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), every)
            last = ending.is_set()
            try:
                # Copied here, between two batches, and written in a thread.
                await asyncio.to_thread(sessions.snapshot().save, path)
            except OSError as error:
                print(f"the states were not saved: {error}", file=sys.stderr)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if states is None:
            yield
            return
        print(f"{sessions.load(states)} sessions remembered")
        saving = asyncio.create_task(save_now_and_then(states))
        yield
        ending.set()
        await saving

    async def live(socket: WebSocket) -> None:
        name = socket.path_params["name"]
        await socket.accept()
        try:
            steps = sessions.enter(name)
        except (RefusedError, ValueError) as error:
            later = isinstance(error, RefusedError)
            await socket.close(TRY_AGAIN_LATER if later else UNSUPPORTED, str(error))
            return
        cell = sessions.cell
        sizes = {"input_size": cell.input_size, "hidden_size": cell.hidden_size}
        try:
            await socket.send_json({"steps": steps, **sizes})
            # One input at a time: the next is not read before the answer has gone out, so a client
            # that sends faster than it is answered, or does not read, fills only its own socket.
            while True:
                h = await sessions.step(name, numbers(await socket.receive()))
                await socket.send_bytes(h.tobytes())
        except WebSocketDisconnect:
            pass
        except ValueError as error:
            await socket.close(UNSUPPORTED, str(error)[:100])
        finally:
            sessions.leave(name)

    return FastAPI(lifespan=lifespan, routes=[WebSocketRoute("/live/{name}", live)])


def numbers(message: MutableMapping[str, Any]) -> Array:
    """Return the float32 that a client sent.

    Raises:
        ValueError: it sent something else.
        WebSocketDisconnect: it has gone.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    given = message.get("bytes")
    if given is None or len(given) % 4:
        raise ValueError("an input must be float32, as bytes")
    return np.frombuffer(given, np.float32)


def serve(app: FastAPI, host: str, port: int) -> None:
    """Run the server until it is told to end."""
    # Small messages that hardly shrink: compression would cost more than the cell.
    uvicorn.run(
        app, host=host, port=port, log_level="warning", backlog=4096,
        ws_max_size=1 << 20, ws_max_queue=4, ws_per_message_deflate=False,
    )  # fmt: skip


def main() -> None:
    """Serve a frozen cell."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("cell", type=Path, help="what FrozenCell.save wrote")
    arguments.add_argument("--states", type=Path, help="where states survive a restart")
    arguments.add_argument("--rows", type=int, default=4096, help="most live sessions")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8000)
    options = arguments.parse_args()
    if options.states and not options.states.absolute().parent.is_dir():
        arguments.error(f"--states: there is no folder {options.states.absolute().parent}")
    sessions = Sessions(FrozenCell.load(options.cell), options.rows)
    serve(make_app(sessions, options.states), options.host, options.port)


if __name__ == "__main__":
    main()
