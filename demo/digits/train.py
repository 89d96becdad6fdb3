"""Trains one version of the digit classifier and writes it as a model repository for MLServer.

The data set (1,797 handwritten digits of 8 x 8 pixels) ships inside scikit-learn: nothing is downloaded.
"""

import argparse
import json
import pathlib

import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

# Two versions that really differ: a linear model, and one that also sees how pixels go together.
MODELS = {
    "v1": lambda: make_pipeline(MinMaxScaler(), LogisticRegression(C=0.5, max_iter=2000)),
    "v2": lambda: make_pipeline(MinMaxScaler(), SVC(C=10, gamma=0.05)),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", required=True, choices=sorted(MODELS))
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    arguments = parser.parse_args()

    pixels, digits = load_digits(return_X_y=True)
    # The split is fixed, so that both versions are judged on the same digits, which neither has seen.
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, digits, test_size=0.25, random_state=7, stratify=digits
    )
    model = MODELS[arguments.version]().fit(train_x, train_y)
    accuracy = model.score(test_x, test_y)
    print(f"{arguments.version}: accuracy {accuracy:.4f} on {len(test_y)} digits it has not seen")
    if accuracy < 0.9:
        raise SystemExit("The model is worse than it can be: something is wrong with the training.")

    arguments.folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, arguments.folder / "model.joblib")
    settings = {
        "name": "digits",
        # MLServer lists no versions in a model's metadata unless told to. They are how blue and green are told apart.
        "versions": [arguments.version],
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": arguments.version},
        "inputs": [{"name": "predict", "datatype": "FP32", "shape": [-1, 64]}],
        "outputs": [{"name": "predict", "datatype": "INT64", "shape": [-1, 1]}],
    }
    (arguments.folder / "model-settings.json").write_text(json.dumps(settings, indent=2))


main()
