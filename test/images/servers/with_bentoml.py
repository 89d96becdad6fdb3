"""As BentoML's documentation has it: `bentoml serve with_bentoml:DigitsService`."""

import bentoml
from digits import Digits


# A service without `threads` works on one request at a time.
@bentoml.service(name="digits", threads=20)
class DigitsService:
    def __init__(self) -> None:
        self.digits = Digits()

    @bentoml.api
    def predict(self, pixels: list[list[float]], seconds: float = 0) -> dict:
        return self.digits.predict(pixels, seconds)
