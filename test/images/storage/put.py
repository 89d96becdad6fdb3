"""put.py s3|gs|az CONTAINER KEY CONTENTS: puts an object into a store, with the client that reads it."""

import os
import sys

_, kind, container, key, contents = sys.argv
data = contents.encode()

if kind == "s3":
    import boto3

    store = boto3.client("s3")
    store.create_bucket(Bucket=container)
    store.put_object(Bucket=container, Key=key, Body=data)
elif kind == "gs":
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    store = storage.Client(project="test", credentials=AnonymousCredentials())
    store.create_bucket(container).blob(key).upload_from_string(data)
elif kind == "az":
    from azure.storage.blob import BlobServiceClient

    account = os.environ["AZURE_STORAGE_ACCOUNT"]
    url = f"https://{account}.blob.core.windows.net"
    store = BlobServiceClient(url, credential=os.environ["AZURE_STORAGE_ACCESS_KEY"])
    store.create_container(container).upload_blob(key, data)
else:
    sys.exit(f"no store is called {kind}")
