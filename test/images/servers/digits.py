"""The model, for every server in this image."""

import os
import pathlib
import time

import joblib

folder = pathlib.Path(os.environ.get("MODEL_FOLDER", "/models/digits"))
version = (folder / "VERSION").read_text()


class Digits:
    def __init__(self) -> None:
        self.model = joblib.load(folder / "model.joblib")

    def predict(self, pixels: list[list[float]], seconds: float = 0) -> dict:
        """A request may ask to take longer: that is how the tests have one in progress when the server ends."""
        time.sleep(seconds)
        return {"digits": [int(digit) for digit in self.model.predict(pixels)], "version": version}
