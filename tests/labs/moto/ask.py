"""ask.py ENDPOINT CA: asks the AWS of a lab.

Reads one JSON array from stdin; each entry is [service, operation, parameters], or
[service, operation, parameters, region]. Prints one JSON array with the answers; an error is
{"error": CODE}. Keys are taken from the environment, where boto3 looks for them.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def main():
    endpoint, ca = sys.argv[1:3]
    config = Config(retries={"max_attempts": 1}, parameter_validation=False)
    clients = {}
    answers = []
    for service, operation, parameters, *region in json.load(sys.stdin):
        place = (service, region[0] if region else "eu-west-1")
        if place not in clients:
            clients[place] = boto3.client(
                service, region_name=place[1], endpoint_url=endpoint, verify=ca, config=config
            )
        try:
            answer = getattr(clients[place], operation)(**parameters)
            answer.pop("ResponseMetadata", None)
        except ClientError as error:
            answer = {"error": error.response["Error"]["Code"]}
        answers.append(answer)
    json.dump(answers, sys.stdout, default=str)


if __name__ == "__main__":
    main()
