"""As BentoML's documentation has it: `bentoml serve with_bentoml:DigitsService`."""

import bentoml
from digits import Digits


@bentoml.service(name="digits")
class DigitsService:
    def __init__(self) -> None:
        self.digits = Digits()

    @bentoml.api
    def predict(self, pixels: list[list[float]], seconds: float = 0) -> dict:
        return self.digits.predict(pixels, seconds)
