"""Ray Serve in one pod: `serve run with_ray:app`."""

from digits import Digits, version
from fastapi import FastAPI
from pydantic import BaseModel
from ray import serve

api = FastAPI()


class Pixels(BaseModel):
    pixels: list[list[float]]
    seconds: float = 0


@serve.deployment(ray_actor_options={"num_cpus": 0}, max_ongoing_requests=20)
@serve.ingress(api)
class DigitsDeployment:
    def __init__(self) -> None:
        self.digits = Digits()

    @api.get("/version")
    def model_version(self) -> dict[str, str]:
        return {"version": version}

    @api.post("/predict")
    def predict(self, request: Pixels) -> dict:
        return self.digits.predict(request.pixels, request.seconds)


app = DigitsDeployment.bind()
