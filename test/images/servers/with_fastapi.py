"""A model server of one's own: `uvicorn with_fastapi:app`."""

from digits import Digits, version
from fastapi import FastAPI
from prometheus_client import Gauge, make_asgi_app
from pydantic import BaseModel

app = FastAPI(title="digits", version=version)
digits = Digits()
in_progress = Gauge("digits_requests_in_progress", "Requests that the model works on")
app.mount("/metrics", make_asgi_app())


class Pixels(BaseModel):
    pixels: list[list[float]]
    seconds: float = 0


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/version")
def model_version() -> dict[str, str]:
    return {"version": version}


@app.post("/predict")
def predict(request: Pixels) -> dict:
    with in_progress.track_inprogress():
        return digits.predict(request.pixels, request.seconds)
