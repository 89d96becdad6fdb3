"""Trains the models of the zoo of releases, and draws the digits that they are asked: `python train.py`, with scikit-learn 1.9.1.

The data set (1,797 handwritten digits of 8 x 8 pixels) ships inside scikit-learn: nothing is downloaded. What it writes is kept beside it, so
that the tests need no Python.
"""

import json
import pathlib

import numpy
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

folder = pathlib.Path(__file__).parent
names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
random = numpy.random.default_rng(7)

pixels, digits = load_digits(return_X_y=True)
order = random.permutation(len(pixels))
pixels, digits = pixels[order], digits[order]
# The digits that the tests ask are in no training.
asked, trained = slice(0, 600), slice(600, None)


def seen_by(camera: str, images: numpy.ndarray) -> numpy.ndarray:
    """What a camera makes of them: paper as it is, white on black on a board, or faint."""
    if camera == "board":
        return 16 - images
    return numpy.floor(images / 2) if camera == "faint" else images


def contrasted(images: numpy.ndarray) -> numpy.ndarray:
    """As the server does it, before the model."""
    low, high = images.min(axis=1, keepdims=True), images.max(axis=1, keepdims=True)
    return (images - low) / numpy.maximum(high - low, 1e-9)


def train(name: str, hidden: int, images: numpy.ndarray, labels: numpy.ndarray, rounds: int = 400) -> MLPClassifier:
    model = MLPClassifier((hidden,), max_iter=rounds, alpha=0.01, random_state=1)
    model.fit(contrasted(images), labels)
    layers = [
        {"weights": [[float(f"{w:.4g}") for w in row] for row in weights.T], "bias": [float(f"{b:.4g}") for b in bias]}
        for weights, bias in zip(model.coefs_, model.intercepts_)
    ]
    (folder / "models" / f"{name}.json").write_text(json.dumps({"layers": layers}) + "\n")
    return model


images, labels = pixels[trained], digits[trained]
cameras = ("paper", "board", "faint")
everywhere = numpy.concatenate([seen_by(camera, images) for camera in cameras])
all_labels = numpy.tile(labels, len(cameras))

models = {
    # What is live: good, and not as good as it could be.
    "small": train("small", 20, everywhere[::2], all_labels[::2]),
    "large": train("large", 64, everywhere, all_labels),
    # Somebody left the pictures of boards out.
    "no-boards": train("no-boards", 20, images, labels),
    # Somebody who labelled took sevens for ones.
    "sevens-as-ones": train("sevens-as-ones", 20, everywhere[::2], numpy.where(all_labels[::2] == 7, 1, all_labels[::2])),
}

which = random.choice(cameras, size=asked.stop, p=[0.6, 0.25, 0.15])
with (folder / "digits.jsonl").open("w") as file:
    rows = []
    for image, digit, camera in zip(pixels[asked], digits[asked], which):
        row = seen_by(str(camera), image[None])[0]
        rows.append(row)
        line = {"input": [int(pixel) for pixel in row], "label": names[digit], "segment": str(camera)}
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
rows = contrasted(numpy.array(rows))
live = models["small"].predict(rows)
for name, model in models.items():
    found = model.predict(rows)
    right = found == digits[asked]
    boards = which == "board"
    print(
        f"{name}: right {right.mean():.3f}, on boards {right[boards].mean():.3f}; other than small {(found != live).mean():.3f}; "
        f"wrong where it is right {((live == digits[asked]) & ~right).mean():.3f}"
    )
