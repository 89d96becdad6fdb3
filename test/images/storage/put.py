"""put.py BUCKET KEY CONTENTS: puts an object into the store that AWS_ENDPOINT_URL names."""

import sys

import boto3

_, bucket, key, contents = sys.argv
store = boto3.client("s3")
store.create_bucket(Bucket=bucket)
store.put_object(Bucket=bucket, Key=key, Body=contents.encode())
