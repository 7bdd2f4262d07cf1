"""serve.py -H HOST -p PORT -c CERT -k KEY: moto, with what tests need beside it.

One action that moto lacks is answered as for a user who has none of it; the day of last use is one fixed
day, so that a read does not change what the next one reads.
"""

from datetime import datetime, timezone

import moto.iam.models
from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse
from moto.server import main


def no_service_specific_credentials(self):
    self.backend.get_user(self._get_param("UserName"))
    return ActionResult({"ServiceSpecificCredentials": []})


IamResponse.list_service_specific_credentials = no_service_specific_credentials
USED = datetime(2026, 6, 1, 12, 0, 0, tzinfo=timezone.utc)


class UsedOnce(moto.iam.models.AccessKeyLastUsed):
    def __init__(self, timestamp, service, region):
        super().__init__(timestamp=USED, service="sts", region="eu-west-1")


moto.iam.models.AccessKeyLastUsed = UsedOnce


if __name__ == "__main__":
    main()
