"""Trains one version of the digit classifier. The data set ships inside scikit-learn: nothing is downloaded."""

import pathlib
import sys

import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

MODELS = {
    "v1": lambda: LogisticRegression(C=0.5, max_iter=2000),
    "v2": lambda: SVC(C=10, gamma=0.05),
}

version, folder = sys.argv[1], pathlib.Path(sys.argv[2])
pixels, digits = load_digits(return_X_y=True)
model = make_pipeline(MinMaxScaler(), MODELS[version]()).fit(pixels[400:], digits[400:])
accuracy = model.score(pixels[:400], digits[:400])
print(f"{version}: accuracy {accuracy:.3f} on 400 digits it has not seen")
if accuracy < 0.85:
    raise SystemExit("The model is worse than it can be: something is wrong with the training.")
folder.mkdir(parents=True, exist_ok=True)
joblib.dump(model, folder / "model.joblib")
(folder / "VERSION").write_text(version)
